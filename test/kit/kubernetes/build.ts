import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { acquireHostLock } from './host-lock.ts'

const SOURCE = join(import.meta.dirname, 'binary')
const GO_NEEDED = [1, 25] as const
const ENVIRONMENT = { CGO_ENABLED: '0', GOWORK: 'off' } as const

/** A part of Kubernetes that the kit runs as a process of its own. */
export type KubernetesPart =
  'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubelet' | 'kube-proxy'

/** Where Kubernetes' programs are on this machine. */
export interface KubernetesBinaries {
  /** The one binary that holds every part; undefined with KUBEBUILDER_ASSETS. */
  readonly kube: string | undefined
  readonly kubectl: string
  /** The beginning of the command that runs a part; undefined where there is no such program. */
  command(part: KubernetesPart): readonly string[] | undefined
}

/** Takes lines for people about a long step. */
export type Progress = (line: string) => void

/** Kubernetes' programs: those of the folder KUBEBUILDER_ASSETS, else built from source once per version and kept. */
export async function kubernetesBinaries(
  signal?: AbortSignal,
  onProgress: Progress = (line) => process.stderr.write(`${line}\n`),
): Promise<KubernetesBinaries> {
  const assets = process.env['KUBEBUILDER_ASSETS']
  if (assets) return fromAssets(assets)
  const recipe = buildRecipe()
  const target = join(cacheFolder(), `kubernetes-${recipe.hash}`)
  if (!existsSync(target)) {
    const go = await checkGo(signal)
    const release = await acquireHostLock(`${target}.lock`, {
      signal,
      onWait: (holder) => onProgress(`waiting for ${holder}, which builds Kubernetes`),
    })
    try {
      if (!existsSync(target)) await build(target, recipe, go, onProgress, signal)
    } finally {
      release()
    }
  }
  const kube = join(target, 'kube')
  return { kube, kubectl: join(target, 'kubectl'), command: (part) => [kube, part] }
}

/** Why Kubernetes' programs cannot be had here, in one sentence; undefined when they are there or can be built. */
export async function whyNoKubernetes(): Promise<string | undefined> {
  if (process.platform !== 'linux')
    return `a Kubernetes control plane runs on Linux only, this is ${process.platform}`
  try {
    if (process.env['KUBEBUILDER_ASSETS']) fromAssets(process.env['KUBEBUILDER_ASSETS'])
    else if (!existsSync(join(cacheFolder(), `kubernetes-${buildRecipe().hash}`))) await checkGo()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

interface BuildRecipe {
  readonly version: string
  readonly flags: readonly string[]
  readonly hash: string
}

/** How official releases are built: static and stripped, so that kubectl starts as fast as people's own. */
function buildRecipe(): BuildRecipe {
  const sources = readdirSync(SOURCE)
    .filter((name) => /^go\.(mod|sum)$|\.go$/.test(name))
    .toSorted()
    .map((name) => [name, readFileSync(join(SOURCE, name), 'utf8')] as const)
  const version = /^\s*k8s\.io\/kubernetes (v\S+)/m.exec(new Map(sources).get('go.mod') ?? '')?.[1]
  if (!version) throw new Error(`${SOURCE}/go.mod requires no k8s.io/kubernetes`)
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? []
  const variables = { gitVersion: version, gitMajor: major, gitMinor: minor }
  const stamps = Object.entries(variables).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  )
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...stamps].join(' ')]
  const identity = JSON.stringify([sources, flags, ENVIRONMENT, process.arch])
  return { version, flags, hash: createHash('sha256').update(identity).digest('hex').slice(0, 12) }
}

async function build(
  target: string,
  recipe: BuildRecipe,
  go: string,
  onProgress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const partial = `${target}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial)
  onProgress(
    `building Kubernetes ${recipe.version} from source with ${go} into ${target}: once, about six minutes on ` +
      'two cores without a build cache, and 6 GB of disk for the time being',
  )
  const started = Date.now()
  for (const [program, source] of [
    ['kube', '.'],
    ['kubectl', 'k8s.io/kubernetes/cmd/kubectl'],
  ] as const) {
    await run('go', ['build', ...recipe.flags, '-o', join(partial, program), source], signal)
    onProgress(`built ${program} after ${Math.round((Date.now() - started) / 1000)} s`)
  }
  renameSync(partial, target)
}

async function checkGo(signal?: AbortSignal): Promise<string> {
  const needed = GO_NEEDED.join('.')
  let answer: string
  try {
    answer = await run('go', ['version'], signal)
  } catch (cause) {
    signal?.throwIfAborted()
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const what = missing ? 'Go is not on PATH' : `Go does not answer: ${(cause as Error).message.trim()}`
    throw new Error(
      `building Kubernetes for the tests needs Go ${needed} or newer (https://go.dev/dl), and ${what}`,
      { cause },
    )
  }
  const [, version, major, minor] = /\b(go(\d+)\.(\d+)\S*)/.exec(answer) ?? []
  if (Number(major) === GO_NEEDED[0] && Number(minor) >= GO_NEEDED[1] && version) return version
  throw new Error(
    `building Kubernetes for the tests needs Go ${needed} or newer (https://go.dev/dl), and ${answer.trim()} is on PATH`,
  )
}

function run(program: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const child = spawn(program, args, {
    cwd: SOURCE,
    env: { ...process.env, ...ENVIRONMENT },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal ? { signal } : {}),
  })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const text = Buffer.concat(output).toString()
      if (code === 0) resolve(text)
      else reject(new Error(`${program} ${args[0]} failed:\n${text.split('\n').slice(-30).join('\n')}`))
    })
  })
}

function fromAssets(folder: string): KubernetesBinaries {
  const program = (name: string): string | undefined => {
    const path = join(folder, name)
    return existsSync(path) ? path : undefined
  }
  const kubectl = program('kubectl')
  const missing = ['etcd', 'kube-apiserver', 'kubectl'].filter((name) => !program(name))
  if (!kubectl || missing.length > 0) {
    throw new Error(`KUBEBUILDER_ASSETS names ${folder}, which has no ${missing.join(', no ')}`)
  }
  return {
    kube: undefined,
    kubectl,
    command: (part) => {
      const path = program(part)
      return path === undefined ? undefined : [path]
    },
  }
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'deckwatch')
}
