import { DeckError } from '../../../core/lib/errors.ts'
import { namesValues, nearHint, withoutValues } from '../../features/blame/near-values.ts'
import type { ChangesPorts } from '../../features/blame/ports.ts'
import type { BlameRun } from './blame-run.ts'
import { questionsFor, recordedChanges } from './recorded-changes.ts'

/** So many of the latest changes are looked through. */
const LOOKED_THROUGH = 500

/** What there is where filters left nothing. */
export interface LikelyMeant {
  /** Names that are like those which were asked for, in a sentence. */
  readonly hint: string | undefined
  /** How many changes there are without the filters that name something; undefined where they were not all read. */
  readonly others: number | undefined
}

/**
 * Asks once more, without names that no change may have, where there is nothing else to say: for who wrote `dev-1` and
 * meant `dev-1@example.org`. `scope` as for `questionsFor`.
 */
export async function likelyMeant(
  { targets, signal }: Pick<BlameRun, 'targets' | 'signal'>,
  filters: BlameRun['options']['filters'],
  ports: Pick<ChangesPorts, 'listChanges'>,
  scope: string | undefined,
): Promise<LikelyMeant> {
  if (!namesValues(filters)) return { hint: undefined, others: undefined }
  const query = { filters: withoutValues(filters), maxHistory: undefined, atMost: LOOKED_THROUGH }
  try {
    const { changes } = await recordedChanges(ports, questionsFor(targets, scope, query), query, signal)
    return {
      hint: nearHint(filters, changes),
      others: changes.length < LOOKED_THROUGH ? changes.length : undefined,
    }
  } catch (error) {
    // The answer proper was given: that there is nothing.
    if (error instanceof DeckError) return { hint: undefined, others: undefined }
    throw error
  }
}
