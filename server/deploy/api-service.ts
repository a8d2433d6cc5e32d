import { labelsOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { NAMES } from './names.ts'
import { SERVICE_PORTS } from './services.ts'
import type { DeployValues } from './values.ts'

/**
 * The registration of the API group, without caBundle, which the companion writes itself. The lowest priority there is:
 * `kubectl get images` must mean another group's images where there is one.
 */
export function apiService({ namespace }: DeployValues): Manifest {
  return makeManifest('api-service', {
    kind: 'APIService',
    name: NAMES.apiService,
    labels: labelsOf('api'),
    fields: {
      spec: {
        group: 'deckwatch.dev',
        version: 'v1alpha1',
        groupPriorityMinimum: 1,
        versionPriority: 1,
        service: { name: NAMES.companion, namespace, port: SERVICE_PORTS.api },
      },
    },
  })
}
