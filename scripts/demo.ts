import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type KubectlCluster, runKubectl } from '../test/kit/kubernetes/kubectl.ts'
import { Colleagues } from './demo/blame-programme.ts'
import { startLocalCluster } from './demo/local-cluster.ts'
import { DEMO_USAGE, demoOptions, type DemoOptions } from './demo/options.ts'
import { playCompanion, playLocal, playReadOnly, playShopOn } from './demo/programme.ts'
import { Recording } from './demo/recording.ts'
import { say, Stage, step } from './demo/stage.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pluginFolder = join(root, 'dist', 'bin')
// A timer keeps Node running, which what it started in the background does not.
const STAY_MS = 3_600_000
const OWN_NAMESPACES = { shop: 'deckwatch-demo-shop', pay: 'deckwatch-demo-pay' }

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let options: DemoOptions
  try {
    options = demoOptions(args)
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n${DEMO_USAGE}`)
    return 2
  }
  if (options.help) {
    process.stdout.write(DEMO_USAGE)
    return 0
  }
  const ending = new AbortController()
  const end = (): void => {
    // Whoever is in a hurry twice does not wait for the cleaning up; the kit still ends its processes at exit.
    // oxlint-disable-next-line no-process-exit
    if (ending.signal.aborted) process.exit(130)
    ending.abort(new Error('interrupted'))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, end)
  const recording = options.record === undefined ? undefined : new Recording()
  try {
    await step('building the plugins', () => build(ending.signal))
    const failed =
      options.context === undefined
        ? await playOnLocal(options, recording, ending.signal)
        : await playOnOwn(options, options.context, recording, ending.signal)
    if (options.record !== undefined) recording?.write(options.record)
    return failed === 0 ? 0 : 1
  } catch (error) {
    if (ending.signal.aborted) return 130
    process.stderr.write(`error: ${(error as Error).message}\n`)
    return 3
  }
}

async function playOnLocal(
  options: DemoOptions,
  recording: Recording | undefined,
  signal: AbortSignal,
): Promise<number> {
  const local = await startLocalCluster(signal)
  try {
    const { controlPlane, whyNoCompanion } = local
    const path = [pluginFolder, dirname(controlPlane.kubectlPath)].join(delimiter)
    const folder = controlPlane.folder.path
    const colleagues =
      whyNoCompanion === undefined ? await Colleagues.invite(controlPlane, folder) : undefined
    const kubeconfig = colleagues?.kubeconfig ?? controlPlane.adminKubeconfig
    const environment = {
      ...process.env,
      PATH: [path, process.env['PATH']].join(delimiter),
      KUBECONFIG: kubeconfig,
      XDG_CACHE_HOME: controlPlane.folder.file('plugin-cache'),
    }
    const stage = new Stage({ environment, folder, signal, recording })
    await playLocal(stage, controlPlane)
    if (colleagues) await playCompanion(stage, colleagues, signal)
    else say(`\nThe companion is left out: ${whyNoCompanion}.`)
    if (!options.once) {
      say(`\nThe cluster stays up until Ctrl-C. In another terminal:`)
      say(`  export KUBECONFIG=${kubeconfig}\n  export PATH=${path}:$PATH\n  kubectl images -A`)
      if (colleagues) say('  kubectl deckwatch install --components image-graph,audit-log')
      if (options.record !== undefined) recording?.write(options.record)
      while (!signal.aborted) await delay(STAY_MS, undefined, { signal }).catch(() => undefined)
    }
    return stage.failed
  } finally {
    await step('taking everything down', () => local.stop())
  }
}

async function playOnOwn(
  options: DemoOptions,
  context: string,
  recording: Recording | undefined,
  signal: AbortSignal,
): Promise<number> {
  const environment = { ...process.env, PATH: [pluginFolder, process.env['PATH']].join(delimiter) }
  const home = join(homedir(), '.kube')
  const kubeconfig = process.env['KUBECONFIG'] || join(home, 'config')
  const cluster: KubectlCluster = {
    kubectl: (args, given = {}) =>
      runKubectl('kubectl', [`--context=${context}`, ...args], {
        kubeconfig,
        cacheFolder: process.env['KUBECACHEDIR'] || join(home, 'cache'),
        ...given,
      }),
  }
  const known = await cluster
    .kubectl(['config', 'get-contexts', context], { signal })
    .catch((cause: unknown) => {
      signal.throwIfAborted()
      throw new Error('the demo on a cluster of your own needs kubectl on PATH', { cause })
    })
  if (known.exitCode !== 0) throw new Error(known.stderr.trim().replace(/^error: /, ''))
  const stage = new Stage({ environment, signal, recording })
  await playReadOnly(stage, context)
  if (options.yes || (await agrees(context, signal))) {
    await playShopOn(stage, cluster, { context, namespaces: OWN_NAMESPACES, signal })
  } else say('\nNothing was written to the cluster.')
  return stage.failed
}

/** Asks before anything is written to a cluster of one's own; without a terminal the answer is no. */
async function agrees(context: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // readline takes Ctrl-C for itself.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const names = Object.values(OWN_NAMESPACES).join(' and ')
    const question = `\nPut the demo's shop up on ${context} for a minute? It makes the namespaces ${names} and deletes them again. [y/N] `
    return /^y(es)?$/i.test((await terminal.question(question, { signal })).trim())
  } finally {
    terminal.close()
  }
}

async function build(signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'scripts', 'build.ts')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the build failed:\n${output}`)
}
