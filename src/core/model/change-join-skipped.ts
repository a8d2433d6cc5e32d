import type { NamedPart, Transition } from './change-facts.ts'
import { isOlderVersion } from './change-join-version.ts'
import type { OpenReview } from './change-join-track.ts'

/** One of the writes that landed between two states that lie apart. */
export interface SkippedWrite<T extends Transition> {
  /** All that fit equally. */
  readonly reviews: readonly OpenReview<T>[]
  /** As which resourceVersion it landed, where that is known. */
  readonly version: string | undefined
}

/**
 * Goes back from the write that made the later state: its old object was real, so whoever asked for just that object
 * had made it; the newest first, without that last one. Nothing else is taken as proof: an old object in a review that did not land may be made up. A CREATE
 * landed where there is an object of its uid, a DELETE where its deletion shows.
 */
export function skippedChain<T extends Transition>(
  transition: T,
  last: readonly OpenReview<T>[],
  candidates: readonly OpenReview<T>[],
): readonly SkippedWrite<T>[] {
  const earlier: SkippedWrite<T>[] = []
  const taken = new Set(last)
  const { previous } = transition
  const within = candidates.filter(
    ({ facts }) =>
      facts.uid === transition.uid && !(previous && isOlderVersion(facts.oldVersion, previous.version)),
  )
  let next = last[0]
  while (next && next.facts.operation !== 'CREATE') {
    const later = next.facts
    const before = within.filter(({ facts }) => isOlderVersion(facts.oldVersion, later.oldVersion))
    const exact = before.filter(({ facts }) => later.oldHash !== '' && facts.newHash === later.oldHash)
    const alike = before.filter(
      ({ facts }) =>
        later.oldContent !== '' &&
        facts.newContent === later.oldContent &&
        facts.newContent !== facts.oldContent,
    )
    // The one that began last is the nearest; those that began from an older version with the same wish did not land.
    const found = exact.length > 0 ? exact : latest(alike)
    const fresh = found.filter((review) => !taken.has(review))
    if (fresh.length === 0) break
    for (const review of fresh) taken.add(review)
    earlier.push({ reviews: fresh, version: exact.length > 0 ? later.oldVersion : undefined })
    next = fresh[0]
  }
  const begun = within.filter(({ facts }) => facts.operation === 'DELETE')
  if (transition.deletion && !transition.gone && !begun.some((review) => taken.has(review))) {
    const reviews = latest(begun)
    if (reviews.length > 0) earlier.push({ reviews, version: undefined })
  }
  const created = within.find((review) => review.facts.operation === 'CREATE' && !taken.has(review))
  if (created && previous === undefined && !transition.gone) {
    earlier.push({ reviews: [created], version: undefined })
  }
  return earlier
}

/** Which changes of a skipped transition have a name; undefined where all do, from one state to the other. */
export function namedPart<T extends Transition>(
  { previous, silent }: T,
  last: readonly OpenReview<T>[],
  chain: readonly SkippedWrite<T>[],
): NamedPart | undefined {
  const all = [...last.slice(0, 1), ...chain.flatMap(({ reviews }) => reviews.slice(0, 1))]
  const created = all.at(-1)?.facts.operation === 'CREATE' ? all.at(-1) : undefined
  const rest = created ? all.slice(0, -1) : all
  const oldest = rest.at(-1)
  const begins = created ? created.facts.newContent : previous?.content
  const joined = oldest === undefined ? created !== undefined && last.length > 0 : reaches(oldest, begins)
  if (last.length > 0 && (joined || silent !== undefined)) return undefined
  const ids = (reviews: readonly OpenReview<T>[]): readonly string[] => reviews.map(({ facts }) => facts.id)
  return { first: ids(created ? [created] : []), last: ids(rest.toReversed()) }
}

function reaches<T extends Transition>({ facts }: OpenReview<T>, content: string | undefined): boolean {
  // A scale has no whole old object.
  return facts.oldContent === '' || facts.oldContent === content
}

/** Those that began from the newest resourceVersion. */
export function latest<T extends Transition>(reviews: readonly OpenReview<T>[]): readonly OpenReview<T>[] {
  const newest = reviews.reduce(
    (found, { facts }) => (isOlderVersion(found, facts.oldVersion) ? facts.oldVersion : found),
    '',
  )
  return reviews.filter(({ facts }) => facts.oldVersion === newest)
}
