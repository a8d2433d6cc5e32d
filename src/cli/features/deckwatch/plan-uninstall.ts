import { DEFAULT_VALUES, NAMES, OWNED_SELECTOR, ownedKinds } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { API_SERVICE, foreignObjects, helmRelease, isOwned, refuseHelm, servedBy } from './installation.ts'
import { installedStorage } from './installed-storage.ts'
import { KINDS, refOf, spokenName, type ObjectRef } from './kinds.ts'
import { strangersIn } from './plan-install.ts'
import type { ClusterPort } from './ports.ts'
import type { StoredObject } from './stored-object.ts'

/** What is asked to be removed. */
export interface UninstallChoice {
  /** Undefined: where the APIService says, else the default. */
  readonly namespace: string | undefined
  readonly keepData: boolean
}

/** All that `uninstall` will remove; nothing has been. */
export interface UninstallPlan {
  readonly namespace: string
  readonly apiService: ObjectRef | undefined
  /** In the order of removal, without APIService, data and namespace. */
  readonly objects: readonly ObjectRef[]
  /** The volume with the history, and the key without which it cannot be gone on with. */
  readonly data: readonly ObjectRef[]
  /** Undefined where it stays or is not there. */
  readonly ownNamespace: ObjectRef | undefined
  /** The namespace is being deleted already. */
  readonly terminating: boolean
  /** What stays, one clause each. */
  readonly stays: readonly string[]
}

/** Finds what belongs to an installation, by its labels; refuses Helm's and a namespace that is not its home. */
export async function planUninstall(
  cluster: ClusterPort,
  { namespace: wanted, keepData }: UninstallChoice,
  signal: AbortSignal,
): Promise<UninstallPlan> {
  const apiService = await cluster.get(API_SERVICE, signal)
  const home = servedBy(apiService)?.namespace
  const namespace = wanted ?? home ?? DEFAULT_VALUES.namespace
  if (home !== undefined && home !== namespace) {
    throw new DeckError(
      'COMPANION_CONFLICT',
      `the companion of this cluster is in namespace ${home}, not ${namespace}`,
      { hint: `To remove it: kubectl deckwatch uninstall --namespace ${home}` },
    )
  }
  const [own, owned] = await Promise.all([
    cluster.get({ kind: KINDS.Namespace, name: namespace }, signal),
    ownedObjects(cluster, namespace, signal),
  ])
  const terminating = own?.metadata.deletionTimestamp !== undefined
  // Helm keeps its record of a release in the namespace: without it there is nothing that Helm could remove.
  if (own && !terminating) {
    refuseHelm(
      [...(apiService ? [apiService] : []), ...owned],
      ({ name, namespace: release }) => `helm uninstall ${name} -n ${release}`,
    )
  }
  const data = owned.filter(holdsData)
  const deployment = await cluster.get({ kind: KINDS.Deployment, namespace, name: NAMES.companion }, signal)
  const fate = await fateOfNamespace(cluster, own, keepData, signal)
  return {
    namespace,
    apiService: apiService && API_SERVICE,
    objects: owned.filter((object) => !data.includes(object)).map(refOf),
    data: keepData ? [] : data.map(refOf),
    ownNamespace: fate.leaves ? { kind: KINDS.Namespace, name: namespace } : undefined,
    terminating,
    stays: [
      ...(keepData ? data.map((object) => `${spokenName(refOf(object))} (--keep-data)`) : []),
      ...fate.stays,
      ...folderOnNode(deployment),
    ],
  }
}

/** Whether there is anything to remove. */
export function isNothing({ apiService, objects, data, ownNamespace, terminating }: UninstallPlan): boolean {
  return !apiService && objects.length === 0 && data.length === 0 && !ownNamespace && !terminating
}

function holdsData({ kind, metadata }: StoredObject): boolean {
  return kind === 'PersistentVolumeClaim' || (kind === 'Secret' && metadata.name === NAMES.auditLog)
}

async function ownedObjects(
  cluster: ClusterPort,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly StoredObject[]> {
  const kinds = ownedKinds(namespace).filter(({ kind }) => kind !== 'APIService' && kind !== 'Namespace')
  const lists = await Promise.all(
    kinds.map((kind) =>
      cluster.list(
        { kind, namespace: kind.namespace, labelSelector: OWNED_SELECTOR, metadataOnly: true },
        signal,
      ),
    ),
  )
  // Another installation's accounts could be bound in kube-system only by another release, which is Helm's then.
  return lists.flat().filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

async function fateOfNamespace(
  cluster: ClusterPort,
  own: StoredObject | undefined,
  keepData: boolean,
  signal: AbortSignal,
): Promise<{ readonly leaves: boolean; readonly stays: readonly string[] }> {
  if (!own) return { leaves: false, stays: [] }
  const { name, deletionTimestamp } = own.metadata
  if (deletionTimestamp !== undefined) return { leaves: false, stays: [] }
  if (keepData) return { leaves: false, stays: [`namespace ${name} (--keep-data)`] }
  if (!isOwned(own) && !helmRelease(own)) {
    return { leaves: false, stays: [`namespace ${name}, which deckwatch did not make`] }
  }
  const strangers = await foreignObjects(cluster, name, signal)
  if (strangers.length === 0) return { leaves: true, stays: [] }
  return { leaves: false, stays: [strangersIn(name, strangers)] }
}

/** A folder of a node is out of the API server's reach. */
function folderOnNode(deployment: StoredObject | undefined): readonly string[] {
  const { type, path, node } = installedStorage(deployment) ?? {}
  return type === 'hostPath'
    ? [`folder ${path} on node ${node ?? 'that the pod ran on'}: remove it there`]
    : []
}
