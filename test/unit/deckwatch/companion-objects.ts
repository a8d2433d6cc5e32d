import { DEFAULT_VALUES, manifests, type DeployValues } from '../../../server/deploy/index.ts'
import { recordValues } from '../../../src/cli/features/deckwatch/recorded-values.ts'
import type { StoredObject } from '../../../src/cli/features/deckwatch/stored-object.ts'

/** The labels of everything that belongs to an installation by `install`. */
export const OWN = {
  'app.kubernetes.io/name': 'deckwatch',
  'app.kubernetes.io/managed-by': 'kubectl-deckwatch',
} as const

/** The default values with the storage that needs nothing of a cluster. */
export const VALUES: DeployValues = {
  ...DEFAULT_VALUES,
  storage: { ...DEFAULT_VALUES.storage, type: 'emptyDir' },
}

/** An object of the API; what is left out of it is nobody's business. */
export function object(
  apiVersion: string,
  kind: string,
  metadata: StoredObject['metadata'],
  rest: Readonly<Record<string, unknown>> = {},
): StoredObject {
  return { apiVersion, kind, metadata, ...rest }
}

/** Whatever an installation with these values applies, with Deployments that are complete. */
export function installedObjects(values: DeployValues = VALUES): readonly StoredObject[] {
  return manifests(values).map(({ object: applied }) =>
    applied.kind === 'Deployment' ? { ...applied, status: COMPLETE } : recordValues(applied, values),
  )
}

/** The status of a Deployment of one pod that is there. */
export const COMPLETE = {
  observedGeneration: 1,
  replicas: 1,
  updatedReplicas: 1,
  availableReplicas: 1,
  readyReplicas: 1,
} as const

/** The group's own discovery with these resources. */
export function discovery(...names: readonly string[]): string {
  return JSON.stringify({ kind: 'APIResourceList', resources: names.map((name) => ({ name })) })
}
