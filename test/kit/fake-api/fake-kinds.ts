/** A kind that the fake API server knows. */
export interface FakeKind {
  readonly kind: string
  readonly apiVersion: string
  /** The path of its API group and version. */
  readonly root: string
  readonly plural: string
  readonly namespaced: boolean
  readonly shortNames?: readonly string[]
}

const CORE = { apiVersion: 'v1', root: '/api/v1' }
const group = (apiVersion: string): Pick<FakeKind, 'apiVersion' | 'root'> => ({
  apiVersion,
  root: `/apis/${apiVersion}`,
})
const APPS = group('apps/v1')
const BATCH = group('batch/v1')
const RBAC = group('rbac.authorization.k8s.io/v1')

/** Every kind that the fake API server knows, in the order of its discovery; of one name the first is meant. */
export const FAKE_KINDS: readonly FakeKind[] = [
  { ...CORE, kind: 'Pod', plural: 'pods', namespaced: true, shortNames: ['po'] },
  { ...CORE, kind: 'Node', plural: 'nodes', namespaced: false, shortNames: ['no'] },
  { ...CORE, kind: 'Namespace', plural: 'namespaces', namespaced: false, shortNames: ['ns'] },
  { ...CORE, kind: 'ConfigMap', plural: 'configmaps', namespaced: true, shortNames: ['cm'] },
  { ...APPS, kind: 'Deployment', plural: 'deployments', namespaced: true, shortNames: ['deploy'] },
  { ...APPS, kind: 'ReplicaSet', plural: 'replicasets', namespaced: true, shortNames: ['rs'] },
  { ...BATCH, kind: 'Job', plural: 'jobs', namespaced: true },
  { ...BATCH, kind: 'CronJob', plural: 'cronjobs', namespaced: true, shortNames: ['cj'] },
  // As servers before 1.21 had it.
  {
    ...group('policy/v1beta1'),
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    namespaced: true,
    shortNames: ['pdb'],
  },
  { ...RBAC, kind: 'ClusterRole', plural: 'clusterroles', namespaced: false },
  {
    ...group('parts.example.com/v2'),
    kind: 'Widget',
    plural: 'widgets',
    namespaced: true,
    shortNames: ['wi'],
  },
  {
    ...group('parts.example.com/v1'),
    kind: 'Widget',
    plural: 'widgets',
    namespaced: true,
    shortNames: ['wi'],
  },
  { ...group('toys.example.com/v1'), kind: 'Widget', plural: 'widgets', namespaced: false },
]

/** The kind of this name, in an API version or in the first that has it; throws where the server has none. */
export function kindNamed(name: string, apiVersion?: string): FakeKind {
  const kind = FAKE_KINDS.find(
    (candidate) =>
      candidate.kind === name && (apiVersion === undefined || candidate.apiVersion === apiVersion),
  )
  if (!kind)
    throw new Error(`the fake API server has no kind ${name}${apiVersion ? ` in ${apiVersion}` : ''}`)
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
