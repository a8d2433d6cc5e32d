import type { Caller } from '../kit/api/caller.ts'
import type {
  GetQuery,
  ListPage,
  ListQuery,
  ResourceReader,
  ServedObject,
  WatchNotice,
  WatchQuery,
} from '../kit/api/resource.ts'
import { meetsFields } from './field-match.ts'
import { bookmark, followLog, type ReplayChunk } from './follow-log.ts'
import { journalPlace } from './journal-place.ts'
import type { ListSnapshot, ListSnapshots } from './list-snapshots.ts'
import { type ImagePlural, isInScope, type Published } from './published.ts'
import { imageFields } from './resources.ts'
import { passingImage, renumbered } from './served-objects.ts'
import type { JournalEvent } from './journal-records.ts'

/** What a reader of images stands on. */
export interface ImageReaderDeps {
  readonly plural: ImagePlural
  /** What is served at present; throws 503 while there is nothing. */
  readonly published: () => Published
  /** What a list has to warn of. */
  readonly warnings: (published: Published) => readonly string[]
  readonly snapshots: ListSnapshots
}

/** So many events of the journal are read at a time. */
const REPLAY_CHUNK = 500

/** Reads images of namespaces, or of the cluster. */
export class ImageReader implements ResourceReader {
  readonly #deps: ImageReaderDeps

  constructor(deps: ImageReaderDeps) {
    this.#deps = deps
  }

  async list(query: ListQuery, { username }: Caller): Promise<ListPage> {
    const published = this.#deps.published()
    const { plural, snapshots } = this.#deps
    const { namespace, namespaceUid, fields, limit } = query
    const question = JSON.stringify([plural, namespace, namespaceUid, fields])
    const { snapshot, offset, id } = query.continue
      ? snapshots.find(query.continue, question)
      : { snapshot: this.#snapshot(published, query, { question, username }), offset: 0, id: undefined }
    const end = limit > 0 ? Math.min(offset + limit, snapshot.items.length) : snapshot.items.length
    const remaining = snapshot.items.length - end
    return {
      items: snapshot.items.slice(offset, end),
      resourceVersion: snapshot.resourceVersion,
      continue: remaining > 0 ? snapshots.token(snapshot, end, id) : '',
      remaining: remaining > 0 ? remaining : undefined,
      extra: snapshot.extra,
      warnings: this.#deps.warnings(published),
    }
  }

  async get({ name, ...scope }: GetQuery): Promise<ServedObject | undefined> {
    const found = this.#deps.published().list(this.#deps.plural, scope)
    return found.find(({ object }) => object.metadata.name === name)?.object
  }

  async *watch(query: WatchQuery, _caller: Caller, signal: AbortSignal): AsyncGenerator<WatchNotice, void> {
    const published = this.#deps.published()
    const { plural } = this.#deps
    let from: number
    if (query.resourceVersion === undefined) {
      from = published.number
      for (const { object } of published.list(plural, query)) {
        if (signal.aborted || published.logs[plural].closed) return
        if (meetsFields(query.fields, imageFields, object)) yield { type: 'ADDED', object }
      }
      yield bookmark(from, true)
    } else from = journalPlace(query.resourceVersion, published.journal.state)
    yield* followLog({
      published,
      log: published.logs[plural],
      from,
      wants: (entry) =>
        isInScope(query, entry) && meetsFields(query.fields, imageFields, entry.notice.object),
      replay: (after) => this.#replay(published, query, after),
      signal,
    })
  }

  #snapshot(
    published: Published,
    query: ListQuery,
    asked: Pick<ListSnapshot, 'question' | 'username'>,
  ): ListSnapshot {
    const items = published
      .list(this.#deps.plural, query)
      .map(({ object }) => object)
      .filter((object) => meetsFields(query.fields, imageFields, object))
    const extra = { summary: published.summary(query) }
    return { ...asked, items, resourceVersion: String(published.number), extra }
  }

  /**
   * What was told after a number: each image that came or went, in order, and the latest change of each that is in use,
   * at the place of its number. What is in use still is told as it is now, also where it came; what only passed, as its
   * event knows it.
   */
  #replay(published: Published, query: WatchQuery, after: number): ReplayChunk {
    const { plural } = this.#deps
    const events = published.journal.events({
      after,
      upTo: published.number,
      cluster: plural === 'clusterimages',
      namespace: query.namespace,
      namespaceUid: query.namespaceUid,
      image: undefined,
      limit: REPLAY_CHUNK,
    })
    const last = events.at(-1)
    const upTo = events.length === REPLAY_CHUNK && last ? last.number : published.number
    const came = events.map((event) => ({ number: event.number, notice: this.#noticeOf(published, event) }))
    const changed = published
      .list(plural, query)
      .filter(({ kept }) => kept.number > after && kept.number <= upTo && kept.number !== kept.added)
      .map(({ kept, object }) => ({ number: kept.number, notice: { type: 'MODIFIED', object } as const }))
    const notices = [...came, ...changed]
      .toSorted((a, b) => a.number - b.number)
      .map(({ notice }) => notice)
      .filter(({ object }) => meetsFields(query.fields, imageFields, object))
    return { notices, upTo }
  }

  #noticeOf(published: Published, event: JournalEvent) {
    const { namespace, namespaceUid, image, number } = event
    const scope = this.#deps.plural === 'images' ? { namespace, namespaceUid } : undefined
    const identity = { namespace: '', namespaceUid: '', ...scope, reference: image }
    const current = published.image(this.#deps.plural, identity)
    if (event.op === '-') return { type: 'DELETED', object: passingImage(event, scope) } as const
    const isCurrent = current?.kept.added === number
    const object = isCurrent ? renumbered(current.object, number) : passingImage(event, scope)
    return { type: 'ADDED', object } as const
  }
}
