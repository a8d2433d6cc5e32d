import { createHash } from 'node:crypto'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import type {
  ListPage,
  ListQuery,
  ResourceReader,
  ResourceScope,
  ServedObject,
  ServedResource,
  WatchNotice,
  WatchQuery,
} from '../../../server/kit/api/resource.ts'

/** What a test says of a widget. */
export interface WidgetSeed {
  readonly name: string
  /** Left out for a cluster-scoped one. */
  readonly namespace?: string
  readonly namespaceUid?: string
  readonly color?: string
  readonly labels?: Readonly<Record<string, string>>
}

/** The kind that the test kit serves. */
export interface Widget extends ServedObject {
  readonly spec: { readonly color: string; readonly size: { readonly width: number } }
}

interface Step {
  readonly version: number
  readonly namespaceUid: string
  readonly notice: Exclude<WatchNotice, { readonly type: 'BOOKMARK' }>
}

/** Which of a pair of resources it is, so that several can be served side by side. */
export interface MemoryResourceOptions {
  /** True where left out. */
  readonly namespaced?: boolean
  /** `widgets` where left out; cluster-scoped `clusterwidgets`. */
  readonly plural?: string
  /** The first version; 1,000 where left out. */
  readonly version?: number
}

const CREATED = '2026-11-21T02:14:07Z'

/** A resource in memory with a whole journal, as simple as can be: what the API is tested over. */
export class MemoryResource implements ResourceReader {
  readonly resource: ServedResource
  readonly #objects = new Map<string, { readonly widget: Widget; readonly namespaceUid: string }>()
  #journal: Step[] = []
  #version: number
  /** Watches from before are too old. */
  #oldest: number
  /** Wakes the watches that wait for news. */
  readonly #wakes = new Set<() => void>()
  #watchers = 0
  /** What it was asked so far. */
  readonly lists: ListQuery[] = []
  readonly watches: WatchQuery[] = []
  /** What the next lists warn of. */
  warnings: readonly string[] = []
  /** What every call fails with. */
  failure: Error | undefined

  constructor({ namespaced = true, plural, version = 1000 }: MemoryResourceOptions = {}) {
    this.#version = version
    this.#oldest = version
    const name = plural ?? (namespaced ? 'widgets' : 'clusterwidgets')
    const singular = name.replace(/s$/, '')
    const kind =
      singular === 'clusterwidget' ? 'ClusterWidget' : singular[0]?.toUpperCase() + singular.slice(1)
    this.resource = {
      plural: name,
      singular,
      kind,
      namespaced,
      shortNames: namespaced ? ['wd'] : [],
      description: 'A widget of the test kit.',
      properties: {
        spec: {
          type: 'object',
          description: 'What it is like.',
          properties: {
            color: { type: 'string', description: 'Its color.' },
            size: {
              type: 'object',
              description: 'How large it is.',
              properties: { width: { type: 'integer', description: 'Its width in steps.' } },
            },
          },
        },
      },
      columns: [
        {
          name: 'Name',
          type: 'string',
          format: 'name',
          description: 'Its name.',
          priority: 0,
          cell: ({ metadata }) => metadata.name,
        },
        {
          name: 'Color',
          type: 'string',
          description: 'Its color.',
          priority: 0,
          cell: (object) => (object as Widget).spec.color,
        },
        {
          name: 'Width',
          type: 'integer',
          description: 'Its width.',
          priority: 1,
          cell: (object) => (object as Widget).spec.size.width,
        },
        {
          name: 'Age',
          type: 'string',
          description: 'Since when it is there.',
          priority: 0,
          cell: ({ metadata }, now) =>
            `${Math.floor((now - Date.parse(metadata.creationTimestamp)) / 60_000)}m`,
        },
      ],
      selectableFields: { 'spec.color': (object) => (object as Widget).spec.color },
      rightBehind: {
        list: { group: '', resource: 'pods', verb: 'list' },
        watch: { group: '', resource: 'pods', verb: 'watch' },
      },
      reader: this,
    }
  }

  get version(): string {
    return String(this.#version)
  }

  /** How many watches are open. */
  get watchers(): number {
    return this.#watchers
  }

  /** Makes a widget, or changes the one of that name. */
  put(seed: WidgetSeed): Widget {
    const { name, namespace, namespaceUid = '', color = 'red', labels } = seed
    const key = keyOf(namespace, name)
    const previous = this.#objects.get(key)?.widget
    const { plural, kind } = this.resource
    this.#version += 1
    const widget: Widget = {
      apiVersion: 'deckwatch.dev/v1alpha1',
      kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        uid: uuid(`${plural}/${namespaceUid}/${key}`),
        resourceVersion: this.version,
        creationTimestamp: CREATED,
        ...(labels ? { labels } : {}),
      },
      spec: { color, size: { width: name.length } },
    }
    this.#objects.set(key, { widget, namespaceUid })
    this.#tell(
      namespaceUid,
      previous ? { type: 'MODIFIED', object: widget, previous } : { type: 'ADDED', object: widget },
    )
    return widget
  }

  /** Removes a widget that is there. */
  remove(name: string, namespace?: string): void {
    const key = keyOf(namespace, name)
    const found = this.#objects.get(key)
    if (!found) throw new Error(`there is no widget ${key}`)
    this.#objects.delete(key)
    this.#version += 1
    const { widget, namespaceUid } = found
    const object = { ...widget, metadata: { ...widget.metadata, resourceVersion: this.version } }
    this.#tell(namespaceUid, { type: 'DELETED', object })
  }

  /** Forgets the journal: what was told before cannot be resumed from. */
  expire(): void {
    this.#version += 1
    this.#oldest = this.#version
    this.#journal = []
  }

  async list(query: ListQuery): Promise<ListPage> {
    this.lists.push(query)
    if (this.failure) throw this.failure
    const visible = [...this.#objects]
      .filter(([, { widget, namespaceUid }]) => isIn(widget, namespaceUid, query))
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
    const token = query.continue === '' ? undefined : this.#token(query.continue)
    const rest = token ? visible.filter(([key]) => key > token.after) : visible
    const page = query.limit > 0 ? rest.slice(0, query.limit) : rest
    const more = rest.length - page.length
    const resourceVersion = String(token?.version ?? this.#version)
    const last = page.at(-1)?.[0]
    return {
      items: page.map(([, { widget }]) => widget),
      resourceVersion,
      continue: more > 0 ? Buffer.from(JSON.stringify([resourceVersion, last])).toString('base64url') : '',
      remaining: more > 0 ? more : undefined,
      extra: { summary: { widgets: visible.length } },
      warnings: this.warnings,
    }
  }

  async get(query: ResourceScope & { readonly name: string }): Promise<ServedObject | undefined> {
    if (this.failure) throw this.failure
    const found = this.#objects.get(keyOf(query.namespace, query.name))
    return found && isIn(found.widget, found.namespaceUid, query) ? found.widget : undefined
  }

  async *watch(query: WatchQuery, _caller: unknown, signal: AbortSignal): AsyncGenerator<WatchNotice, void> {
    this.watches.push(query)
    if (this.failure) throw this.failure
    this.#watchers += 1
    const end = (): void => this.#wakeAll()
    signal.addEventListener('abort', end)
    try {
      let told = this.#version
      if (query.resourceVersion === undefined) {
        const initial = [...this.#objects.values()].filter(({ widget, namespaceUid }) =>
          isIn(widget, namespaceUid, query),
        )
        for (const { widget } of initial) yield { type: 'ADDED', object: widget }
        yield { type: 'BOOKMARK', resourceVersion: String(told), initialEnd: true }
      } else {
        told = Number(query.resourceVersion)
        if (told < this.#oldest || told > this.#version)
          throw new ApiError('Expired', 'too old resource version')
      }
      while (!signal.aborted) {
        if (told < this.#oldest) throw new ApiError('Expired', 'too old resource version')
        for (const { version, namespaceUid, notice } of this.#journal) {
          if (version <= told) continue
          told = version
          if (isIn(notice.object, namespaceUid, query)) yield notice
        }
        told = this.#version
        yield { type: 'BOOKMARK', resourceVersion: String(told), initialEnd: false }
        if (told === this.#version && !signal.aborted) {
          await new Promise<void>((resolve) => {
            this.#wakes.add(resolve)
          })
        }
      }
    } finally {
      signal.removeEventListener('abort', end)
      this.#watchers -= 1
    }
  }

  #tell(namespaceUid: string, notice: Step['notice']): void {
    this.#journal.push({ version: this.#version, namespaceUid, notice })
    this.#wakeAll()
  }

  #wakeAll(): void {
    const wakes = [...this.#wakes]
    this.#wakes.clear()
    for (const wake of wakes) wake()
  }

  #token(text: string): { readonly version: string; readonly after: string } {
    try {
      const [version, after] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string]
      if (Number(version) >= this.#oldest) return { version, after }
    } catch {
      // It is none of ours.
    }
    throw new ApiError('Expired', 'The provided continue parameter is too old')
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`
}

function isIn({ metadata }: ServedObject, namespaceUid: string, scope: ResourceScope): boolean {
  return (
    (scope.namespace === undefined || metadata.namespace === scope.namespace) &&
    (scope.namespaceUid === undefined || namespaceUid === scope.namespaceUid)
  )
}

function uuid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
