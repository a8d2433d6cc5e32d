import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { NODE_NETWORK } from '../kubernetes/node-network.ts'
import { baseFolder } from '../kubernetes/run-folder.ts'

const ROOT = join(import.meta.dirname, '../../..')
const NETWORK = `/sys/class/net/${NODE_NETWORK.hostInterface}`

/** One `npm run demo`, as a process of its own. */
export class DemoRun {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #output = ''

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn('sh', ['scripts/run.sh', 'scripts/demo.ts', ...args], {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#ended = once(this.#child, 'close')
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    }
  }

  /** What it has printed so far to stdout and stderr. */
  get output(): string {
    return this.#output
  }

  /** Waits until it has printed something; throws with all that it printed when it ends before. */
  async waitFor(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`the demo has ended without "${text}":\n${this.output}`)
      await delay(20)
    }
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#child.kill('SIGINT')
  }

  /** Waits for its end; gives the exit code, -1 when a signal ended it. */
  async ended(): Promise<number> {
    await this.#ended
    return this.#child.exitCode ?? -1
  }

  /** SIGKILL, where it still runs. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** What is left of it on this machine: folders, processes and mounts; call it after its end. */
  leftovers(): string[] {
    // Every run folder's name carries the pid of its run, and every process of the kit has such a path among its arguments.
    const mark = `-${this.#child.pid}-`
    const folders = readdirSync(baseFolder()).filter((name) => name.includes(mark))
    const processes = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
      .filter((line) => line.includes(baseFolder()) && line.includes(mark))
    const mounts = read('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(baseFolder()) && line.includes(mark))
    return [...folders, ...processes, ...mounts]
  }

  /** The same, and the network of its node, of which only one lives on a host at a time. */
  nodeLeftovers(): string[] {
    return [...this.leftovers(), ...(existsSync(NETWORK) ? [NETWORK] : [])]
  }
}

/** A file's text; empty when it has gone in the meantime. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
