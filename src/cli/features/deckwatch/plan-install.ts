import {
  checkValues,
  manifests,
  MANAGED_BY,
  NAMES,
  OWNED_SELECTOR,
  ownedKinds,
  type DeployValues,
} from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { tryConditions } from './audit-conditions.ts'
import { chooseStorage } from './choose-storage.ts'
import { changedValues, recordValues } from './recorded-values.ts'
import { API_SERVICE, foreignObjects, helmUpgrade, isOwned, refuseHelm, servedBy } from './installation.ts'
import { KINDS, refOf, spokenName, type ObjectRef } from './kinds.ts'
import type { ClusterPort } from './ports.ts'
import { reachThroughAggregation } from './reach.ts'
import { fieldOf, type StoredObject } from './stored-object.ts'

/** What applying an object does, in kubectl's words. */
export type Outcome = 'created' | 'configured' | 'unchanged'

/** One object of an installation. */
export interface PlannedObject {
  readonly ref: ObjectRef
  readonly object: StoredObject
  /** As it is now; undefined where there is none. */
  readonly before: StoredObject | undefined
  /** What the server said in a dry run; undefined where it could not be asked. */
  readonly expected: Outcome | undefined
}

/** All that `install` will do, checked against the cluster; nothing has been written. */
export interface InstallPlan {
  readonly values: DeployValues
  /** In the order of application, without the APIService. */
  readonly objects: readonly PlannedObject[]
  readonly apiService: PlannedObject
  /** What an earlier installation has and this one does not. */
  readonly obsolete: readonly ObjectRef[]
  /** What of an earlier installation becomes otherwise: `apiReplicas 2 → 0`. */
  readonly changes: readonly string[]
  /** Whether the API group is served now. */
  readonly answersNow: boolean
  readonly warnings: readonly string[]
}

/** What an installation is asked to be. */
export interface InstallChoice {
  readonly values: DeployValues
  /** Keys of the values that were chosen, as in `--set`. */
  readonly given: ReadonlySet<string>
}

/** What is in the cluster of an installation before it begins. */
interface Standing {
  readonly namespace: StoredObject | undefined
  readonly apiService: StoredObject | undefined
  readonly deployment: StoredObject | undefined
}

/** The values with storage decided by what the cluster has. */
export async function decideValues(
  cluster: ClusterPort,
  { values, given }: InstallChoice,
  signal: AbortSignal,
): Promise<{ readonly values: DeployValues; readonly warnings: readonly string[] }> {
  const question = { namespace: values.namespace, storage: values.storage, given }
  const { storage, warnings } = await chooseStorage(cluster, question, signal)
  const decided = { ...values, storage }
  return { values: decided, warnings: [...warnings, ...checkValues(decided)] }
}

/**
 * Looks at the cluster, refuses what cannot be (Helm's installation, a second companion, a namespace that is being
 * deleted, a field that cannot change), and lets the server try each object in a dry run.
 */
export async function planInstall(
  cluster: ClusterPort,
  choice: InstallChoice,
  signal: AbortSignal,
): Promise<InstallPlan> {
  const standing = await readStanding(cluster, choice.values.namespace, signal)
  refuseConflicts(standing, choice.values.namespace)
  const { values, warnings } = await decideValues(cluster, choice, signal)
  const isStranger = standing.namespace !== undefined && !isOwned(standing.namespace)
  const strangers = isStranger ? await foreignObjects(cluster, values.namespace, signal) : []
  await tryConditions(cluster, values, signal)
  const wanted = manifests(values)
    .map(({ object }): StoredObject => recordValues(object, values))
    .filter(({ kind }) => kind !== 'Namespace' || strangers.length === 0)
  const tried = await Promise.all(
    wanted.map((object) => tryObject(cluster, object, standing.namespace !== undefined, signal)),
  )
  const standingNow = tried.flatMap(({ before }) => before ?? [])
  refuseHelm(standingNow, helmUpgrade)
  refuseOtherHome(tried, values.namespace)
  const apiService = tried.find(({ ref }) => ref.kind === KINDS.APIService)
  if (!apiService) throw new DeckError('INTERNAL', 'the manifests have no APIService')
  return {
    values,
    objects: tried.filter((planned) => planned !== apiService),
    apiService,
    obsolete: await obsoleteObjects(cluster, values.namespace, wanted, signal),
    changes: changedValues(standingNow, values),
    answersNow: standing.apiService !== undefined && (await reachThroughAggregation(cluster, signal)).ok,
    warnings:
      strangers.length === 0
        ? warnings
        : [...warnings, `${strangersIn(values.namespace, strangers)}: its labels stay as they are`],
  }
}

/** `namespace monitoring holds service/grafana and 3 more that are not deckwatch's`. */
export function strangersIn(namespace: string, strangers: readonly string[]): string {
  const more = strangers.length > 1 ? ` and ${strangers.length - 1} more` : ''
  return `namespace ${namespace} holds ${strangers[0] ?? ''}${more} not of deckwatch`
}

/** What applying made of an object. */
export function outcomeOf(before: StoredObject | undefined, after: StoredObject): Outcome {
  if (!before) return 'created'
  return essence(before) === essence(after) ? 'unchanged' : 'configured'
}

/** An object without what the server counts and what controllers write; both come from the server in its own order. */
function essence(object: StoredObject): string {
  const { labels, annotations } = object.metadata
  return JSON.stringify({ ...object, metadata: { labels, annotations }, status: undefined })
}

async function readStanding(cluster: ClusterPort, namespace: string, signal: AbortSignal): Promise<Standing> {
  const [own, apiService, deployment] = await Promise.all([
    cluster.get({ kind: KINDS.Namespace, name: namespace }, signal),
    cluster.get(API_SERVICE, signal),
    cluster.get(deploymentRef(namespace), signal),
  ])
  return { namespace: own, apiService, deployment }
}

function deploymentRef(namespace: string): ObjectRef {
  return { kind: KINDS.Deployment, namespace, name: NAMES.companion }
}

function refuseConflicts({ namespace, apiService, deployment }: Standing, name: string): void {
  refuseHelm(
    [apiService, deployment].filter((object) => object !== undefined),
    helmUpgrade,
  )
  if (namespace?.metadata.deletionTimestamp !== undefined) {
    throw new DeckError(
      'COMPANION_CONFLICT',
      `namespace ${name} is being deleted since ${namespace.metadata.deletionTimestamp}`,
      { hint: `Wait until it is gone; if it hangs: kubectl deckwatch uninstall --namespace ${name}` },
    )
  }
  const home = servedBy(apiService)
  if (apiService && home?.namespace !== name) throw livesElsewhere(home?.namespace ?? 'no namespace', name)
}

/** Cluster-scoped objects are an installation's too, also where its APIService is gone. */
function refuseOtherHome(planned: readonly PlannedObject[], namespace: string): void {
  for (const { ref, before } of planned) {
    if (ref.kind !== KINDS.ClusterRoleBinding || !before) continue
    const subjects = (before['subjects'] ?? []) as readonly { readonly namespace?: string }[]
    const home = subjects.find((subject) => subject.namespace !== namespace)?.namespace
    if (home !== undefined) throw livesElsewhere(home, namespace)
  }
}

function livesElsewhere(home: string, wanted: string): DeckError {
  return new DeckError(
    'COMPANION_CONFLICT',
    `a cluster has one companion, and this one's is in namespace ${home}, not ${wanted}`,
    {
      hint: `Upgrade it there with --namespace ${home}, or remove it first: kubectl deckwatch uninstall --namespace ${home}`,
    },
  )
}

async function tryObject(
  cluster: ClusterPort,
  object: StoredObject,
  namespaceExists: boolean,
  signal: AbortSignal,
): Promise<PlannedObject> {
  const ref = refOf(object)
  const inNewNamespace =
    ref.namespace !== undefined && ref.namespace === object.metadata.namespace && !namespaceExists
  // kube-system is there in any case.
  if (inNewNamespace && ref.namespace !== 'kube-system') {
    await requireRight(cluster, ref, signal)
    return { ref, object, before: undefined, expected: undefined }
  }
  const before = await cluster.get(ref, signal)
  try {
    const after = await cluster.apply(object, { dryRun: true }, signal)
    return { ref, object, before, expected: outcomeOf(before, after) }
  } catch (error) {
    // A binding to a role that is not there yet is refused in a dry run to those who may not bind just any.
    if (isBinding(object) && error instanceof DeckError && error.status === 404) {
      return { ref, object, before, expected: undefined }
    }
    throw explainRefusal(error, ref, before)
  }
}

function isBinding({ kind }: StoredObject): boolean {
  return kind === 'ClusterRoleBinding' || kind === 'RoleBinding'
}

async function requireRight(
  cluster: ClusterPort,
  { kind: { group, plural }, namespace }: ObjectRef,
  signal: AbortSignal,
): Promise<void> {
  for (const verb of ['create', 'patch']) {
    if (await cluster.may({ verb, group, resource: plural, namespace }, signal)) continue
    const resource = group === '' ? plural : `${plural}.${group}`
    throw new DeckError('KUBE_FORBIDDEN', `you may not ${verb} ${resource} in namespace ${namespace}`, {
      hint: 'Installing needs the rights of a cluster administrator.',
      status: 403,
    })
  }
}

/** What the server says of a field that cannot change, and of a quota or policy, as what the user can do about it. */
export function explainRefusal(error: unknown, ref: ObjectRef, before: StoredObject | undefined): unknown {
  if (!(error instanceof DeckError) || !before) return error
  const isClaim = ref.kind === KINDS.PersistentVolumeClaim
  const refused = error.status === 422 || (isClaim && error.status === 403)
  if (!refused || !/immutable|forbidden|cannot change|not be less|only dynamically/i.test(error.message)) {
    return error
  }
  const name = spokenName(ref)
  if (!isClaim) {
    return new DeckError('COMPANION_CONFLICT', `${name} cannot be changed in place: ${error.message}`, {
      hint: `Install it anew, which keeps the data: kubectl deckwatch uninstall --keep-data --namespace ${ref.namespace ?? 'NAMESPACE'}, then install.`,
      cause: error,
    })
  }
  const { resources } = fieldOf<{ resources: { requests?: { storage?: string } } }>(before, 'spec')
  const size = resources?.requests?.storage ?? 'its size'
  return new DeckError(
    'COMPANION_CONFLICT',
    `the volume ${name} has ${size} and cannot be changed so: ${error.message}`,
    {
      hint: `Keep --set storage.size=${size} and its storageClass; it can grow only where its StorageClass allows it, and never shrink.`,
      cause: error,
    },
  )
}

/** Objects of an earlier installation by this command that the new one has no more; never what holds data. */
async function obsoleteObjects(
  cluster: ClusterPort,
  namespace: string,
  wanted: readonly StoredObject[],
  signal: AbortSignal,
): Promise<readonly ObjectRef[]> {
  const keep = new Set(wanted.map((object) => keyOf(refOf(object))))
  const kinds = ownedKinds(namespace).filter(
    ({ kind, holdsData }) => !holdsData && !['Secret', 'Lease', 'Namespace', 'APIService'].includes(kind),
  )
  const labelSelector = `${OWNED_SELECTOR},app.kubernetes.io/managed-by=${MANAGED_BY}`
  const lists = await Promise.all(
    kinds.map((kind) =>
      cluster.list({ kind, namespace: kind.namespace, labelSelector, metadataOnly: true }, signal),
    ),
  )
  return lists.flat().flatMap((object) => {
    const ref = refOf(object)
    return keep.has(keyOf(ref)) ? [] : [ref]
  })
}

function keyOf({ kind, namespace = '', name }: ObjectRef): string {
  return `${kind.plural}/${namespace}/${name}`
}
