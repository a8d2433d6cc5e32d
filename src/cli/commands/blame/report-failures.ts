import type { DeckError } from '../../../core/lib/errors.ts'
import { explainFailure } from '../../shell/failure.ts'
import type { Session } from '../../shell/session.ts'

/** Ends a command that could answer in part: says on stderr what failed, and throws the last of it; else does nothing. */
export async function reportFailures(
  failures: readonly DeckError[],
  { stderr }: Pick<Session, 'stderr'>,
): Promise<void> {
  for (const failure of failures.slice(0, -1)) await stderr.write(explainFailure(failure, false).text)
  const last = failures.at(-1)
  if (last) throw last
}
