import type { ApiResource } from '../../../core/kube/api-resource.ts'
import type { Change } from '../../../core/wire/change.ts'
import type { ChangesPage, ChangesPorts, ChangesQuery } from '../../features/blame/ports.ts'
import { changeSelector, type Selection } from '../../features/blame/select.ts'
import { planQueries } from './changes-query.ts'
import type { Target } from './targets.ts'

/** Changes that a companion recorded, and what it said beside them. */
export interface Recorded extends Omit<ChangesPage, 'resourceVersion' | 'unrecorded'> {
  /** Types that were asked for and are not recorded. */
  readonly unrecorded: readonly ApiResource[]
  /** What a watch of one query may go on from; undefined where there were several. */
  readonly resourceVersion: string | undefined
}

/** Which recorded changes are asked for. */
export interface RecordedQuery {
  readonly filters: Selection
  /** The newest so many of each object; undefined: all. */
  readonly maxHistory: number | undefined
  /** Reads no further page once it has so many; undefined: all of them. */
  readonly atMost?: number | undefined
}

/** One question that is asked of the companion: about one object, or about all of a type. */
export interface Question {
  readonly query: ChangesQuery
  readonly type: ApiResource | undefined
  /** It names one object. */
  readonly named: boolean
  /** Its answers must be looked through. */
  readonly selects: boolean
}

/** The questions for some targets; for everything in a namespace, or the cluster, where there are none. */
export function questionsFor(
  targets: readonly Target[],
  namespace: string | undefined,
  { filters, maxHistory: perObject }: RecordedQuery,
): readonly Question[] {
  const planned =
    targets.length === 0
      ? [
          {
            plan: planQueries(undefined, undefined, filters, { namespace, perObject }),
            named: false,
            type: undefined,
          },
        ]
      : targets.flatMap((target) =>
          (target.names ?? [undefined]).map((name) => ({
            plan: planQueries(target, name, filters, { namespace: target.namespace, perObject }),
            named: name !== undefined,
            type: target.type,
          })),
        )
  return planned.flatMap(({ plan: { queries, selects }, named, type }) =>
    queries.map((query) => ({ query, named, selects, type })),
  )
}

/** Asks the companion, and puts the answers together: the newest first, of each object as many as were asked for. */
export async function recordedChanges(
  ports: Pick<ChangesPorts, 'listChanges'>,
  questions: readonly Question[],
  query: RecordedQuery,
  signal: AbortSignal,
): Promise<Recorded> {
  const answers = await Promise.all(questions.map((question) => answerTo(ports, question, query, signal)))
  const [first, ...others] = answers
  if (!first) throw new TypeError('nothing was asked')
  const changes = newestOfEach(
    // Stable: what one answer holds keeps its order within a millisecond.
    answers
      .flatMap((answer) => answer.changes)
      .toSorted((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0)),
    query.maxHistory,
  )
  if (others.length === 0) return { ...first, changes }
  return {
    changes,
    recordingSince:
      answers
        .map(({ recordingSince }) => recordingSince)
        .toSorted()
        .at(-1) ?? '',
    gaps: distinctBy(
      answers.flatMap(({ gaps }) => gaps),
      (gap) => JSON.stringify(gap),
    ),
    warnings: [...new Set(answers.flatMap(({ warnings }) => warnings))],
    unrecorded: [...new Set(answers.flatMap(({ unrecorded }) => unrecorded))],
    resourceVersion: undefined,
  }
}

async function answerTo(
  { listChanges }: Pick<ChangesPorts, 'listChanges'>,
  { query, named, selects, type }: Question,
  { maxHistory, filters, atMost }: RecordedQuery,
  signal: AbortSignal,
): Promise<Recorded> {
  const isMeant = changeSelector(filters)
  const changes: Change[] = []
  let first: ChangesPage | undefined
  const warnings = new Set<string>()
  for await (const page of listChanges(query, signal)) {
    first ??= page
    for (const warning of page.warnings) warnings.add(warning)
    for (const change of page.changes) if (!selects || isMeant(change)) changes.push(change)
    if (changes.length >= ((named ? maxHistory : atMost) ?? Number.POSITIVE_INFINITY)) break
  }
  if (!first) throw new TypeError('a list has at least one page')
  const { unrecorded, ...page } = first
  return { ...page, changes, warnings: [...warnings], unrecorded: unrecorded && type ? [type] : [] }
}

/** Of changes, the newest first, at most so many of each object, which goes on under its name when it is made anew. */
export function newestOfEach(changes: readonly Change[], limit: number | undefined): readonly Change[] {
  if (limit === undefined) return changes
  const counts = new Map<string, number>()
  return changes.filter(({ object: { group, resource, namespace, namespaceUid, name } }) => {
    const key = JSON.stringify([group, resource, namespace, namespaceUid, name])
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count <= limit
  })
}

function distinctBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()]
}
