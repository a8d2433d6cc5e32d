import type { Change } from '../../../core/wire/change.ts'
import { consequencesOf } from './fold.ts'
import type { ChangesPorts, ChangesQuery } from './ports.ts'

/** Controllers act within seconds; a rollout that waits for its pods, or a namespace for finalizers, takes longer. */
const FOLLOWS_WITHIN_MS = 15 * 60_000

/** So many changes of one time are looked through at most. */
const MOST = 2000

/**
 * What followed from some changes, of whatever objects and all the way down, the newest first: for `--consequences`,
 * whose changes `foldChanges` then puts in their places. What is in `changes` itself is not told again.
 */
export async function recordedConsequences(
  { listChanges }: Pick<ChangesPorts, 'listChanges'>,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<readonly Change[]> {
  const others = await Promise.all(
    windowsOf(changes).map(async (query) => {
      const found: Change[] = []
      for await (const page of listChanges(query, signal)) {
        found.push(...page.changes)
        if (found.length >= MOST) break
      }
      return found
    }),
  )
  const distinct = new Map(others.flat().map((change) => [change.metadata?.name, change]))
  const newestFirst = [...distinct.values()].toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))
  return consequencesOf(changes, newestFirst).toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))
}

/** The times after the changes in which they had consequences, in each namespace; those that overlap are one. */
function windowsOf(changes: readonly Change[]): ChangesQuery[] {
  const windows: { namespace: string | undefined; since: number; until: number }[] = []
  const oldestFirst = changes.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
  for (const { time, object } of oldestFirst) {
    const since = Date.parse(time)
    const until = since + FOLLOWS_WITHIN_MS
    // What follows from the deletion of a namespace lies in it.
    const namespace = object.kind === 'Namespace' ? object.name : object.namespace || undefined
    const last = windows.findLast((window) => window.namespace === namespace)
    if (last && since <= last.until) last.until = until
    else windows.push({ namespace, since, until })
  }
  return windows.map(({ namespace, since, until }) => ({
    namespace,
    // People's own changes are no consequences.
    fields: [{ field: 'actor', operator: '!=', value: 'person' }],
    since,
    until,
    perObject: undefined,
  }))
}
