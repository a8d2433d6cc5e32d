import { records } from './audit-log.ts'
import { labelsOf } from './labels.ts'
import { makeManifest, type KubeObject } from './manifest.ts'
import { NAMES } from './names.ts'
import type { DeployValues } from './values.ts'

/**
 * The webhook configuration with an entry that has the conditions of users and no rules: what a server says of it in a dry
 * run is what it will say of the companion's. Undefined where there is nothing to try.
 */
export function conditionsTrial(values: DeployValues): KubeObject | undefined {
  const { conditions } = values.auditLog
  if (!records(values) || conditions.length === 0) return undefined
  return makeManifest('config', {
    kind: 'ValidatingWebhookConfiguration',
    name: NAMES.auditLog,
    labels: labelsOf('companion'),
    fields: {
      webhooks: [
        {
          name: 'trial.audit-log.deckwatch.dev',
          clientConfig: { url: 'https://127.0.0.1/' },
          rules: [],
          failurePolicy: 'Ignore',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          matchConditions: conditions,
        },
      ],
    },
  }).object
}
