import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Daemon } from './daemon.ts'
import { CGROUP_ROOT } from './node-config.ts'
import { NODE_NETWORK } from './node-network.ts'
import type { RunFolder } from './run-folder.ts'

const CGROUPS = '/sys/fs/cgroup'

/** Namespaces and cgroups in which a node lives as on a machine of its own, so that nothing of it stays behind. */
export class NodeSpace {
  readonly #holder: Daemon
  readonly #init: number

  private constructor(holder: Daemon, init: number) {
    this.#holder = holder
    this.#init = init
  }

  /** Makes them, with a link between the host and the node's bridge. */
  static async open(folder: RunFolder, signal?: AbortSignal): Promise<NodeSpace> {
    removeCgroups()
    await removeHostInterface()
    makeCgroups()
    const script = join(import.meta.dirname, 'node-space.sh')
    const address = `${NODE_NETWORK.nodeAddress}/${NODE_NETWORK.prefixLength}`
    const flags = [
      '--mount',
      '--net',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--propagation',
      'private',
    ]
    const holder = new Daemon({
      name: 'node-space',
      command: ['unshare', ...flags, 'sh', script, folder.path, address],
      folder,
    })
    holder.start()
    try {
      while (!existsSync(folder.file('ready'))) {
        holder.check()
        await delay(20, undefined, signal ? { signal } : {})
      }
      const space = new NodeSpace(holder, onlyChild(holder.pid ?? 0))
      space.#connectHost()
      return space
    } catch (error) {
      await holder.kill()
      throw error
    }
  }

  /** A command that runs the given one inside, and takes it along when it is killed. */
  command(command: readonly string[]): readonly string[] {
    const enter = ['nsenter', '--target', String(this.#init), '--mount', '--net', '--pid', '--']
    return [...enter, 'setpriv', '--pdeathsig', 'KILL', '--', ...command]
  }

  /** Ends every process inside, containers too, and with them the mounts and the network. */
  async close(): Promise<void> {
    await this.#holder.kill()
    await removeHostInterface()
    for (let waited = 0; waited < 10_000 && !removeCgroups(); waited += 50) await delay(50)
  }

  /** The host gets an address on the pods' own bridge; its end goes when the node's does. */
  #connectHost(): void {
    const { hostInterface, hostAddress, prefixLength } = NODE_NETWORK
    const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: 'pipe' })
    const inside = this.command(['ip', 'link', 'set', 'eth0', 'master', 'cni0', 'up'])
    ip('link', 'add', hostInterface, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(this.#init))
    ip('address', 'add', `${hostAddress}/${prefixLength}`, 'dev', hostInterface)
    ip('link', 'set', hostInterface, 'up')
    execFileSync(inside[0] ?? '', inside.slice(1), { stdio: 'pipe' })
  }
}

function onlyChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim())
}

/** The kernel takes it some time after the last process of the node's network, and a new node may come before that. */
async function removeHostInterface(): Promise<void> {
  const { hostInterface } = NODE_NETWORK
  const present = () => existsSync(`/sys/class/net/${hostInterface}`)
  for (let waited = 0; waited < 10_000 && present(); waited += 50) {
    // Fails where the kernel is about to take it, or just did.
    spawnSync('ip', ['link', 'delete', hostInterface])
    if (present()) await delay(50)
  }
}

/** With cgroup v1 each controller has a hierarchy of its own, with v2 there is one. */
function cgroupRoots(): string[] {
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return [join(CGROUPS, CGROUP_ROOT)]
  return readdirSync(CGROUPS).map((controller) => join(CGROUPS, controller, CGROUP_ROOT))
}

function makeCgroups(): void {
  for (const root of cgroupRoots()) mkdirSync(root, { recursive: true })
  const unified = join(CGROUPS, 'cgroup.controllers')
  if (!existsSync(unified)) return
  const enabled = readFileSync(unified, 'latin1')
    .trim()
    .split(' ')
    .map((name) => `+${name}`)
  for (const folder of [CGROUPS, join(CGROUPS, CGROUP_ROOT)]) {
    writeFileSync(join(folder, 'cgroup.subtree_control'), enabled.join(' '))
  }
}

/** Whether all are gone now; those with processes in them, which the kernel is still ending, stay. */
function removeCgroups(): boolean {
  return cgroupRoots().every(removeCgroup)
}

function removeCgroup(path: string): boolean {
  if (!existsSync(path)) return true
  const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  if (!below.map((entry) => removeCgroup(join(path, entry.name))).every(Boolean)) return false
  try {
    rmdirSync(path)
    return true
  } catch {
    return false
  }
}
