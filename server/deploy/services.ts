import { records } from './audit-log.ts'
import { labelsOf, selectorOf, type Part } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { NAMES } from './names.ts'
import { podGroups } from './pods.ts'
import type { DeployValues } from './values.ts'

/** Ports of the Services, which stay as they are whatever the pods' ports. */
export const SERVICE_PORTS = { api: 443, peer: 10251, metrics: 8080 } as const

/** The Service that the APIService names, the one by which the api's pods reach the rooms, and that of the webhook. */
export function services(values: DeployValues): readonly Manifest[] {
  return podGroups(values).flatMap(({ part, servesApi, servesPeers }) => [
    ...(servesApi ? [service(NAMES.companion, ['api', 'metrics'], part, values)] : []),
    ...(servesPeers ? [service(NAMES.data, ['peer', 'metrics'], part, values)] : []),
    ...(servesPeers && records(values) ? [service(NAMES.audit, ['api'], part, values)] : []),
  ])
}

function service(
  name: string,
  ports: readonly (keyof typeof SERVICE_PORTS)[],
  pods: Part,
  { namespace }: DeployValues,
): Manifest {
  return makeManifest('services', {
    kind: 'Service',
    name,
    namespace,
    labels: labelsOf(name === NAMES.companion ? 'api' : pods),
    fields: {
      spec: {
        selector: selectorOf(pods),
        ports: ports.map((target) => ({
          name: target,
          port: SERVICE_PORTS[target],
          protocol: 'TCP',
          targetPort: target,
        })),
      },
    },
  })
}
