import type { ServerResponse } from 'node:http'
import { objectUid } from '../../../src/core/model/object-uid.ts'
import type { Change, FieldTouch, RecordingGap } from '../../../src/core/wire/change.ts'
import { DECKWATCH_API_VERSION } from '../../../src/core/wire/image.ts'
import type { FakeAnswer } from './fake-answer.ts'
import type { FakeRequest } from './fake-faults.ts'
import { fakeStatus } from './fake-status.ts'

const ROOT = `/apis/${DECKWATCH_API_VERSION}`

/** A change as a test gives it: a name that was not given is made up, and so is what few tests look at. */
export type GivenChange = Omit<Change, 'apiVersion' | 'kind' | 'metadata'> & { readonly name?: string }

/** States that are told without being named. */
const VISIBLE = new Set(['confirmed', 'admitted', 'unattributed', 'ambiguous'])

interface OpenWatch {
  readonly namespace: string | undefined
  readonly selects: (change: Change) => boolean
  readonly send: (type: string, object: unknown) => void
  readonly end: () => void
}

interface Entry {
  readonly version: number
  readonly change: GivenChange & { readonly name: string }
}

/** The changes of a fake companion: what tests put in, in the forms in which the real one serves it. */
export class FakeChanges {
  #entries: Entry[] = []
  readonly #watches = new Set<OpenWatch>()
  #version = 1_763_000_000_000_000
  #oldest = this.#version
  recordingSince = '2026-11-12T08:00:00.000Z'
  gaps: readonly RecordingGap[] = []
  /** Plurals of what is not recorded. */
  unrecorded: ReadonlySet<string> = new Set()
  /** Told with each list, as Warning headers. */
  warnings: readonly string[] = []
  /** Who last touched the fields of the one object that a list names. */
  touched: readonly FieldTouch[] = []

  /** How many watches are open. */
  get watches(): number {
    return this.#watches.size
  }

  /** Records a change now; gives its name. */
  record(given: GivenChange): string {
    this.#version += 1
    const name = given.name ?? `w1-${this.#entries.length + 1}`
    const entry = { version: this.#version, change: { ...given, name } }
    this.#entries.push(entry)
    for (const { namespace, selects, send } of this.#watches) {
      const change = served(entry, namespace)
      if (change && selects(change)) send('ADDED', change)
    }
    return name
  }

  /** Takes every watch's line away, as the end of its pod does. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end()
  }

  /** Forgets where watches stand: none can go on from before. */
  expire(): void {
    this.#version += 1
    this.#oldest = this.#version
  }

  /** Answers a request for changes; false where it is for something else. */
  serve(request: FakeRequest, answer: FakeAnswer, response: ServerResponse): boolean {
    const [, namespace, plural, name] =
      new RegExp(`^${ROOT}(?:/namespaces/([^/]+))?/(changes|clusterchanges)(?:/([^/]+))?$`).exec(
        request.path,
      ) ?? []
    if (plural === undefined || (plural === 'changes') !== (namespace !== undefined)) return false
    if (name !== undefined) this.#get(namespace, name, answer)
    else if (request.query.get('watch') === 'true') this.#watch(namespace, request, answer, response)
    else this.#list(namespace, request.query, answer)
    return true
  }

  #get(namespace: string | undefined, name: string, answer: FakeAnswer): void {
    const entry = this.#entries.find(({ change }) => change.name === name)
    const change = entry && served(entry, namespace)
    if (change) answer.json(200, change)
    else answer.failure(404, 'NotFound', `changes.deckwatch.dev "${name}" not found`)
  }

  #list(namespace: string | undefined, query: URLSearchParams, answer: FakeAnswer): void {
    const since = Date.parse(query.get('sinceTime') ?? '') || 0
    const until = Date.parse(query.get('untilTime') ?? '') || Number.POSITIVE_INFINITY
    const perObject = Number(query.get('perObject') ?? '0') || Number.POSITIVE_INFINITY
    const selects = selectorOf(query)
    const counts = new Map<string, number>()
    const all = this.#entries
      .flatMap((entry) => served(entry, namespace) ?? [])
      .filter((change) => selects(change))
      .toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))
      .filter(({ time }) => Date.parse(time) >= since && Date.parse(time) <= until)
      .filter((change) => {
        const { group, resource, namespace: within, name } = change.object
        const key = `${group}/${resource}/${within}/${name}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
        return (counts.get(key) ?? 0) <= perObject
      })
    const from = Number(query.get('continue') ?? '0')
    const limit = Number(query.get('limit') ?? '0') || Number.POSITIVE_INFINITY
    const items = all.slice(from, from + limit)
    const more = from + items.length < all.length ? { continue: String(from + items.length) } : {}
    const metadata = { resourceVersion: String(this.#version), ...more }
    const kind = namespace === undefined ? 'ClusterChangeList' : 'ChangeList'
    const body = JSON.stringify({
      kind,
      apiVersion: DECKWATCH_API_VERSION,
      metadata,
      recordingSince: this.recordingSince,
      gaps: this.gaps,
      ...this.#ofOneObject(namespace, query),
      ...(termsOf(query).some(({ field, value }) => field === 'object.resource' && this.unrecorded.has(value))
        ? { unrecorded: true }
        : {}),
      items,
    })
    const warning = this.warnings.map((text) => `299 - "${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
    answer.send(
      200,
      'application/json',
      Buffer.from(body),
      warning.length > 0 ? { warning: warning.join(', ') } : {},
    )
  }

  #ofOneObject(namespace: string | undefined, query: URLSearchParams): object {
    const terms = termsOf(query)
    const name = terms.find(({ field }) => field === 'object.name')?.value
    const resource = terms.find(({ field }) => field === 'object.resource')?.value
    if (name === undefined || resource === undefined) return {}
    const kept = this.#entries
      .flatMap((entry) => served(entry, namespace) ?? [])
      .filter(
        ({ object, state }) => object.name === name && object.resource === resource && VISIBLE.has(state),
      )
    return { kept: kept.length, touched: this.touched }
  }

  #watch(
    namespace: string | undefined,
    { query }: FakeRequest,
    { writer }: FakeAnswer,
    response: ServerResponse,
  ): void {
    writer.head(200, { 'content-type': 'application/json' })
    const send = (type: string, object: unknown): void =>
      writer.write(Buffer.from(`${JSON.stringify({ type, object })}\n`))
    const from = Number(query.get('resourceVersion'))
    if (from < this.#oldest) {
      send('ERROR', fakeStatus(410, 'Expired', `too old resource version: ${from}`))
      writer.end()
      return
    }
    const selects = selectorOf(query)
    for (const entry of this.#entries) {
      const change = entry.version > from ? served(entry, namespace) : undefined
      if (change && selects(change)) send('ADDED', change)
    }
    const end = (): void => {
      this.#watches.delete(watch)
      writer.end()
    }
    const watch: OpenWatch = { namespace, selects, send, end }
    this.#watches.add(watch)
    response.on('close', () => this.#watches.delete(watch))
  }
}

/** The object that a namespace, or the cluster, has of a change; undefined where it has none. */
function served({ version, change }: Entry, namespace: string | undefined): Change | undefined {
  const { name, ...rest } = change
  if (namespace !== undefined && rest.object.namespace !== namespace) return undefined
  const kind = namespace === undefined ? 'ClusterChange' : 'Change'
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: objectUid(kind, namespace ?? '', name),
      resourceVersion: String(version),
      creationTimestamp: `${rest.time.slice(0, 19)}Z`,
    },
    ...rest,
  }
}

interface Term {
  readonly field: string
  readonly operator: string
  readonly value: string
}

function termsOf(query: URLSearchParams): readonly Term[] {
  const text = query.get('fieldSelector') ?? ''
  return [...text.matchAll(/([\w.]+)(!?==?)((?:\\.|[^\\,])*)(?:,|$)/g)].map(
    ([, field = '', operator = '', value = '']) => ({
      field,
      operator: operator.startsWith('!') ? '!=' : '=',
      value: value.replaceAll(/\\(.)/g, '$1'),
    }),
  )
}

function selectorOf(query: URLSearchParams): (change: Change) => boolean {
  const terms = termsOf(query)
  const namesState = terms.some(({ field }) => field === 'state')
  return (change) =>
    (namesState || VISIBLE.has(change.state)) &&
    terms.every(({ field, operator, value }) => (fieldOf(change, field) === value) === (operator === '='))
}

function fieldOf(change: Change, path: string): string {
  let value: unknown = change
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key]
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : ''
}
