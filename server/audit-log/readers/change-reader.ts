import { type Clock, rfc3339Seconds } from '../../../src/core/lib/time.ts'
import type { ChangeListExtra, ChangeState, FieldTouch } from '../../../src/core/wire/change.ts'
import { ApiError } from '../../kit/api/api-error.ts'
import { retryAfter } from '../../kit/api/retry-after.ts'
import type { AccessReviewer } from '../../kit/api/access-reviews.ts'
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
import type { ChangeQuery, NumberedChange, StoredTouch } from '../store/audit-store.ts'
import type { ChangeSource, RecorderState } from './change-source.ts'
import { listWarnings, unrecordedIn } from './list-warnings.ts'
import { readPageToken, writePageToken } from './page-token.ts'
import { changeFields, LANDED, selectsState } from './selectable.ts'
import { changeId, changeName } from '../change-name.ts'
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

type Known = RecorderState & { readonly store: NonNullable<RecorderState['store']> }

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
      this.#extra(query, asked, state),
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
    state: Known,
    notBefore?: number,
  ): Promise<Sight> {
    const { namespace, namespaceUid, fields } = query
    const asked = { caller, scope: { namespace, namespaceUid }, fields, kinds: state.kinds }
    return sightOf(this.#deps.reviewer, asked, notBefore)
  }

  async #extra(query: ListQuery, asked: ChangeQuery, state: Known): Promise<ChangeListExtra> {
    const { source, clock } = this.#deps
    const now = clock.now()
    const gaps = await source.gaps(query.sinceTime ?? state.store.begins, query.untilTime ?? now)
    const one = query.continue === '' ? oneObject(query, asked, state) : undefined
    const [touched, kept] =
      one === undefined
        ? [undefined, undefined]
        : await Promise.all([source.touched(one), source.count(allOfObject(asked))])
    return {
      recordingSince: rfc3339Seconds(state.store.begins),
      gaps: gaps
        .toSorted((a, b) => b.from - a.from)
        .map(({ from, to, reason }) => ({
          from: rfc3339Seconds(from),
          ...(to === undefined ? {} : { to: rfc3339Seconds(to) }),
          reason,
        })),
      ...(touched ? { touched: touched.map(servedTouch) } : {}),
      ...(kept === undefined ? {} : { kept }),
      ...(unrecordedIn(query.fields, state) === undefined ? {} : { unrecorded: true }),
    }
  }

  #state(): Known {
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

function changeQuery(
  query: Pick<ListQuery, 'fields' | 'untilTime' | 'perObject'> & {
    readonly sinceTime?: number | undefined
    readonly since?: number | undefined
  },
  { namespace, namespaceUid, visible }: Sight,
): ChangeQuery {
  const { fields } = query
  return {
    namespace,
    namespaceUid,
    visible,
    fields: fields.filter(({ field }) => Object.hasOwn(changeFields, field)),
    states: selectsState(fields) ? [] : LANDED,
    since: query.sinceTime ?? query.since,
    until: query.untilTime,
    perObject: query.perObject,
  }
}

function wantedBy(
  fields: readonly FieldRequirement[],
  sight: Sight,
  cluster: boolean,
): (change: NumberedChange) => boolean {
  const landed: ReadonlySet<ChangeState> = new Set(LANDED)
  const anyState = selectsState(fields)
  return (change) =>
    (anyState || landed.has(change.state)) &&
    (cluster || change.object.namespace !== '') &&
    sees(sight, change.object)
}

function fieldsOfKind({ object }: NumberedChange): readonly FieldRequirement[] {
  return [
    { field: 'object.group', operator: '=', value: object.group },
    { field: 'object.resource', operator: '=', value: object.resource },
  ]
}

/** What names an object; any other term chooses among its changes. */
const OBJECT_TERMS: ReadonlySet<string> = new Set([
  'metadata.namespace',
  'object.group',
  'object.resource',
  'object.kind',
  'object.name',
  'object.uid',
])

/** All changes of the object that a query names and that may be seen, whichever of them it asks for. */
function allOfObject(asked: ChangeQuery): ChangeQuery {
  const fields = asked.fields.filter(({ field }) => OBJECT_TERMS.has(field))
  return { ...asked, fields, states: LANDED, since: undefined, until: undefined, perObject: undefined }
}

/** The one object that a field selector names, of a kind that may be seen; its group may be left out where one has it. */
function oneObject(
  { namespace, fields }: ListQuery,
  { visible, namespaceUid }: ChangeQuery,
  { kinds }: Known,
): Parameters<ChangeSource['touched']>[0] | undefined {
  const value = (name: string): string | undefined =>
    fields.find(({ field, operator }) => field === name && operator === '=')?.value
  const [resource, name, asked] = [value('object.resource'), value('object.name'), value('object.group')]
  if (resource === undefined || name === undefined) return undefined
  const served = (visible === 'all' ? kinds : visible).filter((kind) => kind.resource === resource)
  const groups = visible === 'all' && asked !== undefined ? [asked] : served.map((kind) => kind.group)
  const [group, another] = groups.filter((each) => asked === undefined || each === asked)
  if (group === undefined || another !== undefined) return undefined
  const uid = value('object.uid')
  return {
    group,
    resource,
    namespace: namespace ?? value('metadata.namespace') ?? '',
    name,
    ...(namespaceUid === undefined ? {} : { namespaceUid }),
    ...(uid === undefined ? {} : { uid }),
  }
}

function servedTouch({ id, time, ...touch }: StoredTouch): FieldTouch {
  return { ...touch, change: changeName(id), time: new Date(time).toISOString() }
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
