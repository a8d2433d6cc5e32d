import { setImmediate } from 'node:timers/promises'
import { rfc3339Seconds } from '../../src/core/lib/time.ts'
import { ApiError } from '../kit/api/api-error.ts'
import type { Caller } from '../kit/api/caller.ts'
import type {
  FieldRequirement,
  GetQuery,
  ListPage,
  ListQuery,
  ResourceReader,
  ResourceScope,
  ServedObject,
  WatchNotice,
  WatchQuery,
} from '../kit/api/resource.ts'
import { meetsFields } from './field-match.ts'
import { bookmark, followLog, type ReplayChunk } from './follow-log.ts'
import { journalPlace, tooOld } from './journal-place.ts'
import { isInScope, type Published } from './published.ts'
import { imageEventFields } from './resources.ts'
import { servedEvent } from './served-objects.ts'
import type { EventQuery } from './image-journal.ts'
import type { JournalEvent } from './journal-records.ts'

/** What a reader of events stands on. */
export interface EventReaderDeps {
  /** Events of the cluster, or of namespaces. */
  readonly cluster: boolean
  /** What is served at present; throws 503 while there is nothing. */
  readonly published: () => Published
  /** What a list has to warn of. */
  readonly warnings: (published: Published) => readonly string[]
}

/** So many events are read at a time. */
const CHUNK = 500

/** More are not put into one answer: they would take much of the memory that this pod may use. */
const MOST_AT_ONCE = 50_000

/** Reads the journal as objects. They are records, so that a watch tells each as ADDED and none ever as gone. */
export class EventReader implements ResourceReader {
  readonly #deps: EventReaderDeps

  constructor(deps: EventReaderDeps) {
    this.#deps = deps
  }

  async list(query: ListQuery): Promise<ListPage> {
    const published = this.#deps.published()
    const { journal } = published
    const place = query.continue
      ? continuedPlace(query.continue, journal.state.trimmed)
      : { after: this.#start(published, query.sinceTime), upTo: published.number }
    const limit = query.limit > 0 ? Math.min(query.limit, MOST_AT_ONCE) : MOST_AT_ONCE
    const { events, upTo, more } = this.#read(published, query, place, limit)
    if (more && query.limit === 0) {
      throw new ApiError(
        'RequestEntityTooLarge',
        `there are more than ${MOST_AT_ONCE} events: ask for pages with limit and continue, or for fewer with sinceTime`,
      )
    }
    return {
      items: events,
      resourceVersion: String(place.upTo),
      continue: more ? continueToken(upTo, place.upTo) : '',
      remaining: undefined,
      warnings: [...this.#deps.warnings(published), ...historyWarnings(published, query.sinceTime)],
    }
  }

  async get({ name, ...scope }: GetQuery): Promise<ServedObject | undefined> {
    const published = this.#deps.published()
    if (!/^\d{1,16}$/.test(name)) return undefined
    const event = published.journal.event(Number(name))
    if (!event || !this.#isServed(event, scope) || String(event.number) !== name) return undefined
    return servedEvent(event, this.#deps)
  }

  async *watch(query: WatchQuery, _caller: Caller, signal: AbortSignal): AsyncGenerator<WatchNotice, void> {
    const published = this.#deps.published()
    const log = published.logs[this.#deps.cluster ? 'clusterimageevents' : 'imageevents']
    let from: number
    if (query.resourceVersion === undefined) {
      let after = this.#start(published, query.sinceTime)
      from = published.number
      while (after < from) {
        if (signal.aborted || log.closed) return
        const { trimmed } = published.journal.state
        if (after < trimmed) throw tooOld(after, trimmed)
        const { events, upTo } = this.#read(published, query, { after, upTo: from }, CHUNK)
        for (const object of events) yield { type: 'ADDED', object }
        after = upTo
        await setImmediate()
      }
      yield bookmark(from, true)
    } else from = journalPlace(query.resourceVersion, published.journal.state)
    yield* followLog({
      published,
      log,
      from,
      wants: (entry) =>
        isInScope(query, entry) && meetsFields(query.fields, imageEventFields, entry.notice.object),
      replay: (after) => this.#replay(published, query, after),
      signal,
    })
  }

  #replay(published: Published, query: WatchQuery, after: number): ReplayChunk {
    const { events, upTo } = this.#read(published, query, { after, upTo: published.number }, CHUNK)
    return { notices: events.map((object) => ({ type: 'ADDED', object }) as const), upTo }
  }

  #start(published: Published, sinceTime: number | undefined): number {
    const { journal } = published
    const { trimmed } = journal.state
    return sinceTime === undefined ? trimmed : Math.max(trimmed, journal.before(sinceTime))
  }

  /** Some events of a scope after a place, with how far that goes and whether there is more. */
  #read(
    published: Published,
    { namespace, namespaceUid, fields }: ResourceScope & { readonly fields: readonly FieldRequirement[] },
    { after, upTo }: Pick<EventQuery, 'after' | 'upTo'>,
    limit: number,
  ): { events: ServedObject[]; upTo: number; more: boolean } {
    const image = fields.find(({ field, operator }) => field === 'image' && operator === '=')?.value
    const scope = { cluster: this.#deps.cluster, namespace, namespaceUid, image }
    const found = published.journal.events({ after, upTo, ...scope, limit: limit + 1 })
    const events = found.slice(0, limit)
    const more = found.length > limit
    return {
      events: events
        .map((event) => servedEvent(event, this.#deps))
        .filter((object) => meetsFields(fields, imageEventFields, object)),
      upTo: more ? (events.at(-1)?.number ?? upTo) : upTo,
      more,
    }
  }

  #isServed(event: JournalEvent, scope: ResourceScope): boolean {
    return (event.cluster || !this.#deps.cluster) && isInScope(scope, event)
  }
}

/** Where the history does not reach back to the moment that was asked for. */
function historyWarnings(published: Published, sinceTime: number | undefined): string[] {
  const { begins } = published.journal.state
  if (sinceTime === undefined || sinceTime >= begins) return []
  return [`the history of images begins at ${rfc3339Seconds(begins)}`]
}

function continueToken(after: number, upTo: number): string {
  return Buffer.from(`${after}.${upTo}`).toString('base64url')
}

/** Numbers are exact over restarts, so that a page goes on as long as the journal reaches back to it. */
function continuedPlace(token: string, trimmed: number): Pick<EventQuery, 'after' | 'upTo'> {
  const [, after, upTo] =
    /^(\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(token, 'base64url').toString('latin1')) ?? []
  const place = { after: Number(after), upTo: Number(upTo) }
  if (after === undefined || place.after < trimmed) {
    throw new ApiError('Expired', 'the continue token is too old, or is not of this list: list again')
  }
  return place
}
