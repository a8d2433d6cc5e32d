import type { DeployValues } from '../../../../server/deploy/index.ts'
import { conditionsTrial } from '../../../../server/deploy/conditions-trial.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { ClusterPort } from './ports.ts'

/**
 * Lets the server try the conditions of the audit log, so that one that it does not understand is known now and not when
 * nothing is recorded; DeckError USAGE names it.
 */
export async function tryConditions(
  cluster: ClusterPort,
  values: DeployValues,
  signal: AbortSignal,
): Promise<void> {
  const trial = conditionsTrial(values)
  if (!trial) return
  try {
    await cluster.apply(trial, { dryRun: true }, signal)
  } catch (error) {
    if (!(error instanceof DeckError && error.status === 422)) throw error
    const [, place] = /matchConditions\[(\d+)\]/.exec(error.message) ?? []
    const { name } = values.auditLog.conditions[Number(place ?? -1)] ?? {}
    const which = name === undefined ? 'auditLog.conditions' : `auditLog.conditions: "${name}"`
    throw new DeckError('USAGE', `${which} is refused by the API server: ${error.message}`, {
      hint: 'Conditions are CEL, as matchConditions of a ValidatingWebhookConfiguration take it.',
      cause: error,
    })
  }
}
