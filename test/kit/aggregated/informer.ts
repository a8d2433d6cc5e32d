import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buildOnce, GO_ENVIRONMENT, keptFolder, runGo } from '../go-build.ts'

const MODULE = join(import.meta.dirname, '../kubernetes/binary')
const FLAGS = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w'] as const

/** What client-go's informer told its handlers. */
export interface InformerLine {
  readonly event: 'added' | 'modified' | 'deleted' | 'synced'
  /** `namespace/name` */
  readonly key?: string
  readonly resourceVersion?: string
  readonly initial?: boolean
}

/** A running program with client-go's informer. */
export interface Informer {
  readonly lines: readonly InformerLine[]
  /** Waits until the lines are as the predicate wants them. */
  until(accepts: (lines: readonly InformerLine[]) => boolean): Promise<void>
  stop(): Promise<void>
}

/** What the informer follows, and how. */
export interface InformerOptions {
  /** Path. */
  readonly kubeconfig: string
  readonly resource: string
  /** All where left out. */
  readonly namespace?: string
  /** False lists and watches as clients did before KEP-3157. */
  readonly watchList?: boolean
}

/** Builds the program with the Kubernetes of the test kit, once per machine: its path. */
export async function buildInformer(): Promise<string> {
  const sources = ['go.mod', 'go.sum', 'informer/main.go'].map((name) =>
    readFileSync(join(MODULE, name), 'utf8'),
  )
  const version = /^\s*k8s\.io\/client-go => \S+ (v\S+)/m.exec(sources[0] ?? '')?.[1] ?? ''
  const identity = JSON.stringify([sources, FLAGS, GO_ENVIRONMENT, process.arch])
  const target = keptFolder(`informer-${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`)
  await buildOnce({
    name: "client-go's informer",
    version,
    go: '1.25',
    target,
    cost: 'about two minutes on two cores without a build cache',
    build: async (folder) => {
      await runGo(['build', ...FLAGS, '-o', join(folder, 'informer'), './informer'], { cwd: MODULE })
    },
  })
  return join(target, 'informer')
}

/** Starts the program. */
export function startInformer(
  program: string,
  { kubeconfig, resource, namespace = '', watchList = true }: InformerOptions,
): Informer {
  const child = spawn(program, [kubeconfig, 'deckwatch.dev', 'v1alpha1', resource, namespace], {
    env: { ...process.env, KUBE_FEATURE_WatchListClient: String(watchList) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const lines: InformerLine[] = []
  let errors = ''
  let changed = Promise.withResolvers<void>()
  const wake = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as InformerLine)
    wake()
  })
  child.once('close', wake)
  return {
    lines,
    until: async (accepts) => {
      const limit = AbortSignal.timeout(120_000)
      limit.addEventListener('abort', wake)
      while (!accepts(lines)) {
        if (child.exitCode !== null || limit.aborted) {
          throw new Error(`client-go's informer told ${JSON.stringify(lines)} only: ${errors}`)
        }
        await changed.promise
      }
    },
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
