import { records } from './audit-log.ts'
import { labelsOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { NAMES } from './names.ts'
import type { DeployValues } from './values.ts'

/** The ConfigMap in which a purge of the history is asked for and answered, with nothing in it: who may patch it may purge. */
export function purge(values: DeployValues): readonly Manifest[] {
  if (!records(values)) return []
  return [
    makeManifest('config', {
      kind: 'ConfigMap',
      name: NAMES.purge,
      namespace: values.namespace,
      labels: labelsOf('companion'),
      fields: {},
    }),
  ]
}
