import { labelsOf, selectorOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { podGroups } from './pods.ts'
import type { DeployValues } from './values.ts'

/** Drains take one pod at a time where there are several; a budget for a single pod would block every drain. */
export function disruptionBudgets(values: DeployValues): readonly Manifest[] {
  return podGroups(values)
    .filter(({ replicas }) => replicas > 1)
    .map(({ part, name }) =>
      makeManifest('policies', {
        kind: 'PodDisruptionBudget',
        name,
        namespace: values.namespace,
        labels: labelsOf(part),
        fields: {
          spec: {
            maxUnavailable: 1,
            selector: { matchLabels: selectorOf(part) },
            // Pods that do not work anyway must not keep a node from being drained.
            unhealthyPodEvictionPolicy: 'AlwaysAllow',
          },
        },
      }),
    )
}
