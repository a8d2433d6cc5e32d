import { MANAGED_BY_HELM, NAMES, OWNED_SELECTOR } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { HelmRelease } from './companion-report.ts'
import { KINDS, spokenName, refOf, type ObjectRef } from './kinds.ts'
import type { ClusterPort } from './ports.ts'
import { fieldOf, type StoredObject } from './stored-object.ts'

/** The Service that an APIService asks. */
export interface ServedBy {
  readonly namespace: string
  readonly name: string
}

/** The APIService of the companion's group. */
export const API_SERVICE: ObjectRef = { kind: KINDS.APIService, name: NAMES.apiService }

/** The line that frees a cluster of a companion that does not answer. */
export const EMERGENCY_EXIT = `kubectl delete apiservice ${NAMES.apiService}`

/** The Service behind an APIService; undefined where there is none. */
export function servedBy(apiService: StoredObject | undefined): ServedBy | undefined {
  return fieldOf<{ service: ServedBy }>(apiService, 'spec').service
}

/** Whether an object carries the labels of an installation. */
export function isOwned({ metadata }: StoredObject): boolean {
  const [label = '', value] = OWNED_SELECTOR.split('=')
  return metadata.labels?.[label] === value
}

/** The Helm release that an object belongs to; undefined for any other. */
export function helmRelease({ metadata }: StoredObject): HelmRelease | undefined {
  if (metadata.labels?.['app.kubernetes.io/managed-by'] !== MANAGED_BY_HELM) return undefined
  return {
    name: metadata.annotations?.['meta.helm.sh/release-name'] ?? 'RELEASE',
    namespace: metadata.annotations?.['meta.helm.sh/release-namespace'] ?? 'NAMESPACE',
  }
}

/** The command by which Helm installs anew; the chart is where its user has it. */
export function helmUpgrade({ name, namespace }: HelmRelease): string {
  return `helm upgrade ${name} CHART -n ${namespace}`
}

/** Refuses with COMPANION_CONFLICT where one of the objects is Helm's; `instead` is Helm's command for the same. */
export function refuseHelm(
  objects: readonly StoredObject[],
  instead: (release: HelmRelease) => string,
): void {
  for (const object of objects) {
    const release = helmRelease(object)
    if (!release) continue
    throw new DeckError(
      'COMPANION_CONFLICT',
      `the companion was installed by Helm: ${spokenName(refOf(object))} belongs to release ${release.name} in namespace ${release.namespace}`,
      { hint: `Use Helm for it: ${instead(release)}` },
    )
  }
}

// What Kubernetes, and OpenShift, put into every namespace.
const GIVEN_CONFIG_MAPS = new Set(['kube-root-ca.crt', 'openshift-service-ca.crt'])

const FOREIGN_KINDS = [
  KINDS.Deployment,
  KINDS.StatefulSet,
  KINDS.DaemonSet,
  KINDS.CronJob,
  KINDS.Job,
  KINDS.ReplicaSet,
  KINDS.Pod,
  KINDS.Service,
  KINDS.PersistentVolumeClaim,
  KINDS.ConfigMap,
  KINDS.Secret,
] as const

/** What a namespace holds that is not deckwatch's, and that would be lost with it: workloads, data and configuration. */
export async function foreignObjects(
  cluster: ClusterPort,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const lists = await Promise.all(
    FOREIGN_KINDS.map((kind) => cluster.list({ kind, namespace, metadataOnly: true }, signal)),
  )
  return lists
    .flat()
    .filter((object) => !isOwned(object) && !comesByItself(object))
    .map((object) => spokenName(refOf(object)))
}

/** Made by another object, or by a controller for every namespace. */
function comesByItself({ kind, metadata }: StoredObject): boolean {
  if (metadata.deletionTimestamp !== undefined) return true
  if ((metadata.ownerReferences?.length ?? 0) > 0) return true
  if (kind === 'ConfigMap') return GIVEN_CONFIG_MAPS.has(metadata.name)
  return kind === 'Secret' && metadata.annotations?.['kubernetes.io/service-account.name'] !== undefined
}
