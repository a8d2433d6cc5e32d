import { labelsOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { NAMES } from './names.ts'
import type { DeployValues } from './values.ts'

const NAMESPACE_NAME = 'kubernetes.io/metadata.name'

/**
 * Who may reach the pods. The API port is open to all: the API server has no label; who is not its front proxy is refused
 * by TLS, and the webhook's path is known to the API server alone. What the pods may reach is not limited. Nothing holds
 * in the host's network, so nothing is made there.
 */
export function networkPolicy(values: DeployValues): readonly Manifest[] {
  const { namespace, ports, metrics, hostNetwork } = values
  if (!values.networkPolicy || hostNetwork) return []
  const ownPods = { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'deckwatch' } } }
  return [
    makeManifest('policies', {
      kind: 'NetworkPolicy',
      name: NAMES.companion,
      namespace,
      labels: labelsOf('companion'),
      fields: {
        spec: {
          ...ownPods,
          policyTypes: ['Ingress'],
          ingress: [
            { ports: [tcp(ports.api)] },
            {
              ports: [tcp(ports.peer)],
              from: [{ ...inNamespaces([namespace, NAMES.agentsNamespace]), ...ownPods }],
            },
            {
              ports: [tcp(ports.metrics)],
              ...(metrics.from.length === 0 ? {} : { from: [inNamespaces(metrics.from)] }),
            },
          ],
        },
      },
    }),
  ]
}

function tcp(port: number): unknown {
  return { port, protocol: 'TCP' }
}

function inNamespaces(names: readonly string[]): object {
  return { namespaceSelector: { matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values: names }] } }
}
