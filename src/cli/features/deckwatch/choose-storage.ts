import type { DeployValues } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { KINDS } from './kinds.ts'
import type { ClusterPort } from './ports.ts'
import { conditionOf, fieldOf, type StoredObject } from './stored-object.ts'

/** The storage that an installation will have, and what should be known about it. */
export interface ChosenStorage {
  readonly storage: DeployValues['storage']
  readonly warnings: readonly string[]
}

/** What is asked for, and what stands already. */
export interface StorageQuestion {
  readonly storage: DeployValues['storage']
  /** Whether the type was chosen, and not left to us. */
  readonly typeGiven: boolean
  /** The Deployment with the rooms, where one is installed. */
  readonly installed: StoredObject | undefined
}

interface PodTemplate {
  readonly template?: {
    readonly spec?: { readonly volumes?: readonly Volume[]; readonly affinity?: Affinity }
  }
}

interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms: readonly {
        readonly matchFields?: readonly { readonly key: string; readonly values?: readonly string[] }[]
      }[]
    }
  }
}

interface Volume {
  readonly name: string
  readonly persistentVolumeClaim?: object
  readonly hostPath?: { readonly path: string }
  readonly emptyDir?: object
}

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'

/**
 * Where the companion keeps its data, if nothing was chosen: where it has it already, else in a volume of the default
 * StorageClass, else in a folder of one node. A hostPath without a node gets one that takes pods.
 */
export async function chooseStorage(
  cluster: ClusterPort,
  { storage, typeGiven, installed }: StorageQuestion,
  signal: AbortSignal,
): Promise<ChosenStorage> {
  const kept = typeGiven ? undefined : storageOf(installed)
  if (kept) return { storage: { ...storage, ...kept }, warnings: [] }
  if (typeGiven && storage.type === 'emptyDir') return { storage, warnings: [] }
  if (!typeGiven || (storage.type === 'pvc' && storage.storageClass === '')) {
    const hasDefault = (await cluster.list({ kind: KINDS.StorageClass }, signal)).some(
      ({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true',
    )
    if (typeGiven && !hasDefault) {
      const warning = `the cluster has no default StorageClass: the volume must be made by hand, or name one with --set storage.storageClass=NAME`
      return { storage, warnings: [warning] }
    }
    if (hasDefault || storage.storageClass !== '')
      return { storage: { ...storage, type: 'pvc' }, warnings: [] }
  }
  if (storage.type === 'pvc' && typeGiven) return { storage, warnings: [] }
  const node = storage.node || storageOf(installed)?.node || (await takingNode(cluster, signal))
  const why = typeGiven ? '' : 'the cluster has no default StorageClass: '
  const warning = `${why}the history is kept in ${storage.path} on node ${node} and lost with it; a volume: --storage pvc --set storage.storageClass=NAME`
  return { storage: { ...storage, type: 'hostPath', node }, warnings: [warning] }
}

/** Where an installed companion keeps its data; undefined where none is installed. */
export function storageOf(
  deployment: StoredObject | undefined,
): Partial<DeployValues['storage']> | undefined {
  const { volumes = [], affinity } = fieldOf<PodTemplate>(deployment, 'spec').template?.spec ?? {}
  const data = volumes.find(({ name }) => name === 'data')
  if (data?.persistentVolumeClaim) return { type: 'pvc' }
  if (data?.emptyDir) return { type: 'emptyDir' }
  if (!data?.hostPath) return undefined
  const node = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
    .flatMap(({ matchFields = [] }) => matchFields)
    .find(({ key }) => key === 'metadata.name')?.values?.[0]
  return { type: 'hostPath', path: data.hostPath.path, ...(node === undefined ? {} : { node }) }
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
