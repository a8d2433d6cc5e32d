import type { RecordedResource } from '../config.ts'
import type { JournalEntry, JournalPosition, JournalReader, ReadEntry } from '../journal/journal.ts'
import type { AuditStore } from '../store/audit-store.ts'
import { mayBeDecided } from '../store/change-codes.ts'
import { changeName } from '../change-name.ts'
import { resourceKey } from '../resource-key.ts'
import type { RecorderCounts } from './recorder-counts.ts'
import { type NoChange, type ObjectNames, type ReadReview, readReview } from './review-reading.ts'
import type { ObjectReading } from './watched-object.ts'

/** Where an entry ends, and its number. */
export interface JournalPlace {
  readonly position: JournalPosition
  readonly seq: number
}

/** What entries are read with. */
export interface JournalIntakeDeps {
  readonly journal: JournalReader
  readonly store: Pick<AuditStore, 'get'>
  readonly resources: readonly RecordedResource[]
  readonly names: ObjectNames
  readonly hash: ObjectReading['hash']
  readonly writer: number
  /** Called before each entry is read, with the age of the one before in milliseconds; may stand still for a moment. */
  readonly giveWay?: (behindMs: number) => void
  /** Up to where an earlier run came. */
  readonly taken: JournalPlace | undefined
  /** How far the journal was at the start: what is before may be in the store already. */
  readonly until: JournalPosition
}

/** As it was read: what waits is small. */
interface EarlyEntry {
  readonly found: ReadEntry
  readonly received: number
  readonly namespace: string
}

interface OpenEntry {
  readonly before: JournalPlace
  readonly received: number
  review: ReadReview | undefined
}

/** A namespace may be so new that its watch has not told it yet, in milliseconds. */
const NEW_NAMESPACE_MS = 3000
/** Reviews that are open for longer do not keep the journal from being let go. */
const LONGEST_HOLD_MS = 600_000

/**
 * Takes entries out of the journal. The place up to which it was taken over is before the oldest review that is not
 * decided: a restart reads that one again, and so knows its hashes.
 */
export class JournalIntake {
  readonly #deps: JournalIntakeDeps
  readonly #resources: ReadonlyMap<string, RecordedResource>
  readonly #until: number
  /** In the journal's order. */
  readonly #open = new Map<string, OpenEntry>()
  /** Whose namespace is not known yet. */
  #early: EarlyEntry[] = []
  #end: JournalPlace
  #told: JournalPlace | undefined
  #readUpTo = -1
  readonly counts: Pick<RecorderCounts, 'reviews' | 'noChange' | 'truncated' | 'unknownResource'> = {
    reviews: 0,
    noChange: 0,
    truncated: 0,
    unknownResource: 0,
  }

  constructor(deps: JournalIntakeDeps) {
    this.#deps = deps
    this.#resources = new Map(deps.resources.map((recorded) => [resourceKey(recorded), recorded]))
    this.#until = placeOf(deps.until)
    this.#end = deps.taken ?? { position: { segment: 0, offset: 0 }, seq: 0 }
    this.#told = deps.taken
  }

  /** Every entry before this place was read. */
  get readUpTo(): number {
    return this.#readUpTo
  }

  /** Seq of the last entry that was read, whatever is known of it. */
  get readSeq(): number {
    return this.#end.seq
  }

  /** Epoch milliseconds: when the oldest review that is not decided came. */
  get oldestOpen(): number | undefined {
    const [oldest] = this.#open.values()
    return oldest?.received
  }

  /** Up to where the store has taken over the journal with the next commit; undefined where that is no news. */
  get position(): JournalPlace | undefined {
    const [oldest] = this.#open.values()
    const place = oldest?.before ?? this.#end
    return place.seq === this.#told?.seq ? undefined : place
  }

  /** Reads on, some hundred entries at most; tells how many there were. `synced` is how far the journal is. */
  async take(synced: JournalPosition, now: number, each: (review: ReadReview) => void): Promise<number> {
    for (const early of this.#early.splice(0)) {
      if (this.#isEarly(early, now)) this.#early.push(early)
      else this.#read(early.found.entry, each)
    }
    const started = this.#end.position.segment > 0 ? this.#end.position : undefined
    const found = this.#deps.journal.read(started)
    let behind = 0
    for (const one of found) {
      this.#deps.giveWay?.(behind)
      const { entry, end } = one
      behind = now - entry.received
      const before = this.#end
      this.#end = { position: end, seq: entry.seq }
      this.#readUpTo = placeOf(end)
      if (this.#readUpTo <= this.#until && (await this.#isDecided(entry))) continue
      this.#open.set(this.#name(entry), { before, received: entry.received, review: undefined })
      this.counts.reviews += 1
      if (!this.#waits(one, entry, now)) this.#read(entry, each)
    }
    // Where there is nothing more, everything up to what was synced before was read, wherever segments end.
    if (found.length === 0) this.#readUpTo = Math.max(this.#readUpTo, placeOf(synced))
    for (const [name, { received }] of this.#open) {
      if (now - received < LONGEST_HOLD_MS) break
      this.#open.delete(name)
    }
    return found.length
  }

  /** The store has kept everything up to there. */
  kept(position: JournalPosition): void {
    this.#told = this.position ?? this.#told
    this.#deps.journal.release(position)
  }

  /** A review is decided: gives it, the first time. */
  decided(name: string): ReadReview | undefined {
    const open = this.#open.get(name)
    this.#open.delete(name)
    return open?.review
  }

  /** Keeps an entry for later whose namespace is not known yet. */
  #waits(found: ReadEntry, { request, received }: JournalEntry, now: number): boolean {
    const early = { found, received, namespace: request.namespace ?? '' }
    if (!this.#recordedAs(request)?.namespaced || !this.#isEarly(early, now)) return false
    this.#early.push(early)
    return true
  }

  #isEarly({ namespace, received }: EarlyEntry, now: number): boolean {
    const isNew = now - received < NEW_NAMESPACE_MS && now >= received
    return isNew && this.#deps.names.namespaceUid(namespace, received) === undefined
  }

  #recordedAs({ resource: { group, resource } }: JournalEntry['request']): RecordedResource | undefined {
    return this.#resources.get(resourceKey({ group, resource }))
  }

  #read(entry: JournalEntry, each: (review: ReadReview) => void): void {
    const name = this.#name(entry)
    const recorded = this.#recordedAs(entry.request)
    if (!recorded) {
      this.counts.unknownResource += 1
      this.#open.delete(name)
      return
    }
    const review = this.#review(entry, recorded)
    if (review === 'no change') {
      this.counts.noChange += 1
      this.#open.delete(name)
      return
    }
    if (review.facts.truncated) this.counts.truncated += 1
    const open = this.#open.get(name)
    if (open) open.review = withoutValues(review, recorded)
    each(review)
  }

  /** Without its objects where these cannot be read: what ended the recorder would end it again after each restart. */
  #review(entry: JournalEntry, recorded: RecordedResource): ReadReview | NoChange {
    const { names, hash, writer } = this.#deps
    try {
      return readReview(entry, recorded, names, { writer, hash })
    } catch {
      const { object: _object, oldObject: _oldObject, ...request } = entry.request
      return readReview({ ...entry, request, truncated: true }, recorded, names, { writer, hash })
    }
  }

  /** An entry that is read again after a restart may have been decided before. */
  async #isDecided({ seq }: JournalEntry): Promise<boolean> {
    const { store, writer } = this.#deps
    const known = await store.get({ writer, seq })
    return known !== undefined && !mayBeDecided(known.state)
  }

  #name({ seq }: JournalEntry): string {
    return changeName({ writer: this.#deps.writer, seq })
  }
}

/** What the decision about a review needs: thousands may be open at once. */
function withoutValues({ facts, record, body, object }: ReadReview, recorded: RecordedResource): ReadReview {
  const owners = object?.metadata?.ownerReferences
  return {
    facts,
    record: { ...record, changes: [] },
    body: keepsReviewedBody(recorded) ? body : undefined,
    object: owners ? { metadata: { ownerReferences: owners } } : undefined,
  }
}

/** Where the watch tells no whole objects, what is known of them is what was reviewed; pods' are not kept. */
function keepsReviewedBody({ watch, operations }: RecordedResource): boolean {
  return watch !== 'full' && operations.includes('UPDATE')
}

/** A position as a number that rises with it. */
export function placeOf({ segment, offset }: JournalPosition): number {
  return segment * 2 ** 32 + offset
}
