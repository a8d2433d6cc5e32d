import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildOnce, checkGo, GO_ENVIRONMENT, keptFolder, runGo, type Progress } from '../go-build.ts'

const SOURCE = join(import.meta.dirname, 'binary')
const GO_NEEDED = '1.25'

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

/** Kubernetes' programs: those of the folder KUBEBUILDER_ASSETS, else built from source once per version and kept. */
export async function kubernetesBinaries(
  signal?: AbortSignal,
  onProgress: Progress = (line) => process.stderr.write(`${line}\n`),
): Promise<KubernetesBinaries> {
  const assets = process.env['KUBEBUILDER_ASSETS']
  if (assets) return fromAssets(assets)
  const recipe = buildRecipe()
  const target = keptFolder(`kubernetes-${recipe.hash}`)
  await buildOnce(
    {
      name: 'Kubernetes',
      version: recipe.version,
      go: GO_NEEDED,
      target,
      cost: 'about six minutes on two cores without a build cache, and 6 GB of disk for the time being',
      build: (folder) => build(folder, recipe, onProgress, signal),
    },
    { signal, onProgress },
  )
  const kube = join(target, 'kube')
  return { kube, kubectl: join(target, 'kubectl'), command: (part) => [kube, part] }
}

/** Why Kubernetes' programs cannot be had here, in one sentence; undefined when they are there or can be built. */
export async function whyNoKubernetes(): Promise<string | undefined> {
  if (process.platform !== 'linux')
    return `a Kubernetes control plane runs on Linux only, this is ${process.platform}`
  try {
    if (process.env['KUBEBUILDER_ASSETS']) fromAssets(process.env['KUBEBUILDER_ASSETS'])
    else if (!existsSync(keptFolder(`kubernetes-${buildRecipe().hash}`)))
      await checkGo('Kubernetes', GO_NEEDED)
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
  const identity = JSON.stringify([sources, flags, GO_ENVIRONMENT, process.arch])
  return { version, flags, hash: createHash('sha256').update(identity).digest('hex').slice(0, 12) }
}

async function build(
  folder: string,
  { flags }: BuildRecipe,
  onProgress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const started = Date.now()
  for (const [program, source] of [
    ['kube', '.'],
    ['kubectl', 'k8s.io/kubernetes/cmd/kubectl'],
  ] as const) {
    await runGo(['build', ...flags, '-o', join(folder, program), source], { cwd: SOURCE, signal })
    onProgress(`built ${program} after ${Math.round((Date.now() - started) / 1000)} s`)
  }
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
