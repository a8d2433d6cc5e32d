import { records } from './audit-log.ts'
import { labelsOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { NAMES } from './names.ts'
import type { DeployValues } from './values.ts'

/**
 * The webhook configuration of the audit log, with nothing in it: the companion fills it when it records, and may not make
 * one, so that whoever deletes it is obeyed.
 */
export function webhook(values: DeployValues): readonly Manifest[] {
  if (!records(values)) return []
  return [
    makeManifest('config', {
      kind: 'ValidatingWebhookConfiguration',
      name: NAMES.auditLog,
      labels: labelsOf('companion'),
      fields: {},
    }),
  ]
}
