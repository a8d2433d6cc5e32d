import { NAMES, type DeployValues } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { installedStorage } from './installed-storage.ts'
import { KINDS } from './kinds.ts'
import type { ClusterPort } from './ports.ts'
import { conditionOf, fieldOf, type StoredObject } from './stored-object.ts'

type Storage = DeployValues['storage']

/** The storage that an installation will have, and what should be known about it. */
export interface ChosenStorage {
  readonly storage: Storage
  readonly warnings: readonly string[]
}

/** What is asked for. */
export interface StorageQuestion {
  readonly namespace: string
  readonly storage: Storage
  /** Keys of values that were chosen, as in `--set`; what is not among them is ours to decide. */
  readonly given: ReadonlySet<string>
}

interface ClaimSpec {
  readonly storageClassName: string
  readonly resources: { readonly requests?: { readonly storage?: string } }
}

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'

/**
 * Where the companion keeps its data, as far as nothing was chosen: where it has it already, else in a volume of the
 * default StorageClass, else in a folder of the first node that takes pods.
 */
export async function chooseStorage(
  cluster: ClusterPort,
  { namespace, storage, given }: StorageQuestion,
  signal: AbortSignal,
): Promise<ChosenStorage> {
  const [deployment, claim] = await Promise.all([
    cluster.get({ kind: KINDS.Deployment, namespace, name: NAMES.companion }, signal),
    cluster.get({ kind: KINDS.PersistentVolumeClaim, namespace, name: NAMES.data }, signal),
  ])
  const installed = installedStorage(deployment)
  const standing = installed?.type ?? (claim ? 'pvc' : undefined)
  const chosen = given.has('storage.type') ? storage.type : standing
  const hasClass = async (): Promise<boolean> =>
    storage.storageClass !== '' || (await hasDefaultClass(cluster, signal))
  const type = chosen ?? ((await hasClass()) ? 'pvc' : 'hostPath')
  switch (type) {
    case 'emptyDir':
      return { storage: { ...storage, type }, warnings: [] }
    case 'pvc':
      if (claim) return { storage: { ...storage, type, ...claimed(claim, given) }, warnings: [] }
      return { storage: { ...storage, type }, warnings: (await hasClass()) ? [] : [NO_CLASS] }
    case 'hostPath': {
      if (installed?.type === 'hostPath') {
        const kept = { ...storage, node: '', ...installed, ...chosenOf(storage, given) }
        return { storage: { ...kept, type }, warnings: [] }
      }
      const node = storage.node || (await takingNode(cluster, signal))
      const why = chosen === undefined ? 'the cluster has no default StorageClass: ' : ''
      const warning = `${why}the history is kept in ${storage.path} on node ${node} and lost with it; a volume: --storage pvc --set storage.storageClass=NAME`
      return { storage: { ...storage, type, node }, warnings: [warning] }
    }
  }
}

const NO_CLASS =
  'the cluster has no default StorageClass: the volume must be made by hand, or name one with --set storage.storageClass=NAME'

/** A claim's size and class cannot be changed at will, so they stay unless others were chosen. */
function claimed(claim: StoredObject, given: ReadonlySet<string>): Partial<Storage> {
  const { storageClassName, resources } = fieldOf<ClaimSpec>(claim, 'spec')
  const size = resources?.requests?.storage
  return {
    ...(given.has('storage.size') || size === undefined ? {} : { size }),
    ...(given.has('storage.storageClass') || storageClassName === undefined
      ? {}
      : { storageClass: storageClassName }),
  }
}

function chosenOf({ path, node }: Storage, given: ReadonlySet<string>): Partial<Storage> {
  return {
    ...(given.has('storage.path') ? { path } : {}),
    ...(given.has('storage.node') ? { node } : {}),
  }
}

async function hasDefaultClass(cluster: ClusterPort, signal: AbortSignal): Promise<boolean> {
  const classes = await cluster.list({ kind: KINDS.StorageClass }, signal)
  return classes.some(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true')
}

interface NodeSpec {
  readonly unschedulable: boolean
  readonly taints: readonly { readonly effect?: string }[]
}

/** The first node by name that takes pods, so that a second run finds the same one. */
async function takingNode(cluster: ClusterPort, signal: AbortSignal): Promise<string> {
  const nodes = await cluster.list({ kind: KINDS.Node }, signal)
  const node = nodes
    .filter((candidate) => {
      const { unschedulable = false, taints = [] } = fieldOf<NodeSpec>(candidate, 'spec')
      const repels = taints.some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute')
      const { labels = {} } = candidate.metadata
      const isLinux = (labels['kubernetes.io/os'] ?? 'linux') === 'linux'
      return !unschedulable && !repels && isLinux && conditionOf(candidate, 'Ready')?.status === 'True'
    })
    .map(({ metadata }) => metadata.name)
    .toSorted()[0]
  if (node !== undefined) return node
  throw new DeckError(
    'COMPANION_CONFLICT',
    `there is no default StorageClass, and none of the ${nodes.length} nodes takes pods, so that the companion has no place for its data`,
    {
      hint: 'Say where: --storage pvc --set storage.storageClass=NAME, --set storage.node=NAME, or --storage emptyDir.',
    },
  )
}
