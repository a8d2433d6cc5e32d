import { configHash } from './config.ts'
import { labelsOf, selectorOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { podSpec } from './pod-spec.ts'
import { podGroups, type PodGroup } from './pods.ts'
import type { DeployValues } from './values.ts'

/** The Deployments. */
export function workloads(values: DeployValues): readonly Manifest[] {
  return podGroups(values).map((group) =>
    makeManifest('workloads', {
      kind: 'Deployment',
      name: group.name,
      namespace: values.namespace,
      labels: labelsOf(group.part),
      fields: {
        spec: {
          replicas: group.replicas,
          revisionHistoryLimit: 3,
          strategy: strategy(group, values),
          selector: { matchLabels: selectorOf(group.part) },
          template: {
            metadata: {
              labels: labelsOf(group.part),
              annotations: { 'deckwatch.dev/config-hash': configHash(values) },
            },
            spec: podSpec(group, values),
          },
        },
      },
    }),
  )
}

function strategy({ keepsData, replicas }: PodGroup, { hostNetwork }: DeployValues): unknown {
  // A ReadWriteOnce volume and its database have room for one pod.
  if (keepsData && replicas === 1) return { type: 'Recreate' }
  // In the host's network the new pod may find its port taken on every node until an old one has gone.
  const rollingUpdate = hostNetwork ? { maxSurge: 0, maxUnavailable: 1 } : { maxSurge: 1, maxUnavailable: 0 }
  return { type: 'RollingUpdate', rollingUpdate }
}
