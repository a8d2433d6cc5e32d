/** A kind that the fake API server knows. */
export interface FakeKind {
  readonly kind: string
  readonly apiVersion: string
  /** The path of its API group and version. */
  readonly root: string
  readonly plural: string
  readonly namespaced: boolean
}

const CORE = { apiVersion: 'v1', root: '/api/v1' }
const APPS = { apiVersion: 'apps/v1', root: '/apis/apps/v1' }
const BATCH = { apiVersion: 'batch/v1', root: '/apis/batch/v1' }

/** Every kind that the fake API server knows. */
const FAKE_KINDS: readonly FakeKind[] = [
  { ...CORE, kind: 'Pod', plural: 'pods', namespaced: true },
  { ...CORE, kind: 'Node', plural: 'nodes', namespaced: false },
  { ...CORE, kind: 'Namespace', plural: 'namespaces', namespaced: false },
  { ...APPS, kind: 'Deployment', plural: 'deployments', namespaced: true },
  { ...APPS, kind: 'ReplicaSet', plural: 'replicasets', namespaced: true },
  { ...BATCH, kind: 'Job', plural: 'jobs', namespaced: true },
  { ...BATCH, kind: 'CronJob', plural: 'cronjobs', namespaced: true },
]

/** The kind of this name; throws where the server has none. */
export function kindNamed(name: string): FakeKind {
  const kind = FAKE_KINDS.find((candidate) => candidate.kind === name)
  if (!kind) throw new Error(`the fake API server has no kind ${name}`)
  return kind
}

/** What a path names: a collection, or one object of it. */
export interface FakeTarget {
  readonly kind: FakeKind
  readonly namespace: string | undefined
  readonly name: string | undefined
}

/** Finds what a path names; undefined for a path that the server does not have. */
export function targetOf(path: string): FakeTarget | undefined {
  for (const kind of FAKE_KINDS) {
    if (!path.startsWith(`${kind.root}/`)) continue
    const parts = path
      .slice(kind.root.length + 1)
      .split('/')
      .map(decodeURIComponent)
    const inNamespace = kind.namespaced && parts[0] === 'namespaces'
    const [plural, name, ...more] = inNamespace ? parts.slice(2) : parts
    if (plural !== kind.plural || more.length > 0 || (kind.namespaced && name !== undefined && !inNamespace))
      continue
    return { kind, namespace: inNamespace ? parts[1] : undefined, name }
  }
  return undefined
}
