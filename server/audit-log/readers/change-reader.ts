import type { Clock } from '../../../src/core/lib/time.ts'
import type { AccessReviewer } from '../../kit/api/access-reviews.ts'
import { ApiError } from '../../kit/api/api-error.ts'
import type { Caller } from '../../kit/api/caller.ts'
import type {
  FieldRequirement,
  GetQuery,
  ListPage,
  ListQuery,
  ResourceReader,
  ServedObject,
  WatchNotice,
  WatchQuery,
} from '../../kit/api/resource.ts'
import { retryAfter } from '../../kit/api/retry-after.ts'
import { changeId, changeName } from '../change-name.ts'
import type { NumberedChange } from '../store/audit-store.ts'
import { changeQuery, wantedBy } from './change-query.ts'
import type { ChangeSource, ReadableState } from './change-source.ts'
import { listExtra } from './list-extra.ts'
import { listWarnings } from './list-warnings.ts'
import { readPageToken, writePageToken } from './page-token.ts'
import { servedChange } from './served-change.ts'
import { type Sight, sees, sightOf, stillSees } from './visible-kinds.ts'
import { Waker } from './waker.ts'

/** What a reader of changes stands on. */
export interface ChangeReaderDeps {
  /** Changes of the whole cluster, or of namespaces. */
  readonly cluster: boolean
  readonly source: ChangeSource
  readonly reviewer: AccessReviewer
  readonly clock: Clock
}

/** So many changes are read at a time. */
const CHUNK = 500
/** More are not put into one answer: they would take much of the memory that this pod may use. */
const MOST_AT_ONCE = 5000
/** How often an open watch looks again whether its caller may still see what it tells. */
const LOOK_MS = 10_000
const BOOKMARK_MS = 30_000

/**
 * Reads the recorded changes as objects, the newest first. Without a selector on `state` these are the changes that
 * landed. A watch tells a change as ADDED when it lands (or is decided, where its state is selected), and MODIFIED where
 * more is found out about it later.
 */
export class ChangeReader implements ResourceReader {
  readonly #deps: ChangeReaderDeps
  /** Epoch milliseconds: since when the recorder may be waited for. */
  readonly #since: number

  constructor(deps: ChangeReaderDeps) {
    this.#deps = deps
    this.#since = deps.clock.now()
  }

  async list(query: ListQuery, caller: Caller, signal: AbortSignal): Promise<ListPage> {
    const { source } = this.#deps
    const state = this.#state()
    const sight = await this.#sight(query, caller, state)
    const asked = changeQuery(query, sight)
    const limit = query.limit > 0 ? Math.min(query.limit, MOST_AT_ONCE) : MOST_AT_ONCE
    const after = query.continue === '' ? undefined : readPageToken(query.continue)
    const [page, extra] = await Promise.all([
      source.page(asked, limit, after),
      listExtra(query, asked, { ...this.#deps, state }),
    ])
    signal.throwIfAborted()
    if (page.next && query.limit === 0) {
      throw new ApiError(
        'RequestEntityTooLarge',
        `there are more changes than one answer holds: ask for pages with limit and continue, or for fewer with sinceTime or perObject`,
      )
    }
    return {
      items: page.items.map((change) => servedChange(change, this.#deps.cluster)),
      resourceVersion: String(state.store.number),
      continue: page.next ? writePageToken(page.next) : '',
      remaining: undefined,
      extra: { ...extra },
      warnings: listWarnings({
        state,
        gaps: extra.gaps,
        fields: query.fields,
        sinceTime: query.sinceTime,
        span: {
          from: (page.next ? undefined : query.sinceTime) ?? page.items.at(-1)?.time ?? state.store.begins,
          to: after?.time ?? query.untilTime ?? this.#deps.clock.now(),
        },
      }),
    }
  }

  async get({ name, ...scope }: GetQuery, caller: Caller): Promise<ServedObject | undefined> {
    const state = this.#state()
    const id = changeId(name)
    const change = id && (await this.#deps.source.get(id))
    if (!change) return undefined
    const sight = await this.#sight({ ...scope, fields: fieldsOfKind(change) }, caller, state)
    return sees(sight, change.object) ? servedChange(change, this.#deps.cluster) : undefined
  }

  async *watch(query: WatchQuery, caller: Caller, signal: AbortSignal): AsyncGenerator<WatchNotice, void> {
    const { source, clock, cluster } = this.#deps
    // Another replica may have told a later one.
    if (Number(query.resourceVersion) > this.#state().store.number) await source.refresh?.()
    const state = this.#state()
    const sight = await this.#sight(query, caller, state)
    const from = query.resourceVersion === undefined ? undefined : placeOf(query.resourceVersion, state.store)
    let told = state.store.number
    const wants = wantedBy(query.fields, sight, cluster)
    if (from === undefined) {
      for await (const change of this.#past(query, sight, signal)) {
        yield { type: 'ADDED', object: servedChange(change, cluster) }
      }
      yield { type: 'BOOKMARK', resourceVersion: String(told), initialEnd: true }
    } else told = from
    const seen = new Set<string>()
    const waker = new Waker(source, clock, signal)
    try {
      let lookedAt = clock.now()
      let markedAt = clock.now()
      while (!signal.aborted) {
        if (clock.now() - lookedAt >= LOOK_MS) {
          const began = clock.now()
          const now = await this.#sight(query, caller, this.#state(), lookedAt + 1)
          if (!stillSees(sight, now)) throw rightEnded()
          lookedAt = began
        }
        const { number, trimmed } = this.#state().store
        if (told < trimmed) throw tooOld(told, trimmed)
        if (told < number) {
          const changes = await source.after(told, CHUNK)
          for (const change of changes) {
            if (signal.aborted) return
            told = change.number
            if (!wants(change)) continue
            const name = changeName(change.id)
            const type = seen.has(name) || change.revised === true ? 'MODIFIED' : 'ADDED'
            seen.add(name)
            if (seen.size > CHUNK) seen.delete(seen.values().next().value ?? '')
            yield { type, object: servedChange(change, cluster) }
          }
          if (changes.length === 0) told = Math.max(told, number)
          continue
        }
        if (clock.now() - markedAt >= BOOKMARK_MS) {
          markedAt = clock.now()
          yield { type: 'BOOKMARK', resourceVersion: String(told), initialEnd: false }
        }
        await waker.wait(Math.min(LOOK_MS, BOOKMARK_MS))
      }
    } finally {
      waker.close()
    }
  }

  /** What a watch begins with, the oldest first. */
  async *#past(query: WatchQuery, sight: Sight, signal: AbortSignal): AsyncGenerator<NumberedChange> {
    const asked = changeQuery({ ...query, since: query.sinceTime }, sight)
    const pages: (readonly NumberedChange[])[] = []
    let count = 0
    let after: Parameters<ChangeSource['page']>[2]
    do {
      const page = await this.#deps.source.page(asked, CHUNK, after)
      signal.throwIfAborted()
      pages.push(page.items)
      count += page.items.length
      after = page.next
      // A page that is cut short is large: to hold more of these would take the memory of the pod.
    } while (after && count < MOST_AT_ONCE && pages.at(-1)?.length === CHUNK)
    for (const page of pages.toReversed()) yield* page.toReversed()
  }

  async #sight(
    query: Pick<ListQuery, 'namespace' | 'namespaceUid' | 'fields'>,
    caller: Caller,
    state: ReadableState,
    notBefore?: number,
  ): Promise<Sight> {
    const { namespace, namespaceUid, fields } = query
    const asked = { caller, scope: { namespace, namespaceUid }, fields, kinds: state.kinds }
    return sightOf(this.#deps.reviewer, asked, notBefore)
  }

  #state(): ReadableState {
    const { clock, source } = this.#deps
    const { state } = source
    if (state?.store) return { ...state, store: state.store }
    throw new ApiError(
      'ServiceUnavailable',
      `the audit log cannot answer yet: ${state?.ready.reason ?? 'it is starting'}`,
      retryAfter(this.#since, clock.now()),
    )
  }
}

function fieldsOfKind({ object }: NumberedChange): readonly FieldRequirement[] {
  return [
    { field: 'object.group', operator: '=', value: object.group },
    { field: 'object.resource', operator: '=', value: object.resource },
  ]
}

/** Where a resourceVersion is in this store; ApiError Expired where it is too old, or of another one. */
function placeOf(
  resourceVersion: string,
  { number, trimmed }: { readonly number: number; readonly trimmed: number },
): number {
  const place = Number(resourceVersion)
  if (place < trimmed) throw tooOld(place, trimmed)
  if (place <= number) return place
  throw new ApiError(
    'Expired',
    `The provided resource version is not available: ${resourceVersion}, the current one is ${number}`,
  )
}

function tooOld(place: number, trimmed: number): ApiError {
  return new ApiError('Expired', `too old resource version: ${place} (${trimmed})`)
}

function rightEnded(): ApiError {
  return new ApiError(
    'Expired',
    'what you may see is no longer what it was when this watch began: list again',
  )
}
