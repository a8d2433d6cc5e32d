import { randomUUID } from 'node:crypto'
import { type FakeKind, kindNamed } from './fake-kinds.ts'

/** The members of a Kubernetes object that the store looks at. */
export interface FakeObject {
  readonly kind: string
  readonly apiVersion?: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string | undefined
    readonly uid?: string | undefined
    readonly resourceVersion?: string | undefined
    readonly labels?: Readonly<Record<string, string>> | undefined
    readonly [more: string]: unknown
  }
  readonly [more: string]: unknown
}

/** One write, as a watch tells it. */
export interface FakeEvent {
  readonly version: number
  readonly kind: FakeKind
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: FakeObject
  /** The state before a change; a watch with a selector needs it. */
  readonly previous: FakeObject | undefined
}

/** A list as of one moment, which a continue token refers to. */
interface Snapshot {
  readonly version: number
  readonly objects: readonly FakeObject[]
}

/** Objects in memory with the versions and the history of etcd. */
export class FakeStore {
  #version = 100
  #compacted = 0
  readonly #objects = new Map<string, FakeObject>()
  #events: FakeEvent[] = []
  readonly #snapshots = new Map<string, Snapshot>()
  readonly #listeners = new Set<(event: FakeEvent) => void>()

  get version(): number {
    return this.#version
  }

  /** Creates or updates, by namespace and name; gives what is now stored, with uid and resourceVersion. */
  put(object: FakeObject): FakeObject {
    const kind = kindNamed(object.kind, object.apiVersion)
    const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : undefined
    const key = keyOf(kind, namespace, object.metadata.name)
    const previous = this.#objects.get(key)
    this.#version += 1
    const stored: FakeObject = {
      ...structuredClone(object),
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata: {
        ...structuredClone(object.metadata),
        ...(namespace ? { namespace } : {}),
        uid: previous?.metadata.uid ?? object.metadata.uid ?? randomUUID(),
        resourceVersion: String(this.#version),
      },
    }
    this.#objects.set(key, stored)
    this.#tell({
      version: this.#version,
      kind,
      type: previous ? 'MODIFIED' : 'ADDED',
      object: stored,
      previous,
    })
    return stored
  }

  /** Deletes; false when there is no such object. */
  remove(kindName: string, namespace: string | undefined, name: string): boolean {
    const kind = kindNamed(kindName)
    const key = keyOf(kind, namespace, name)
    const previous = this.#objects.get(key)
    if (!previous) return false
    this.#objects.delete(key)
    this.#version += 1
    const object = { ...previous, metadata: { ...previous.metadata, resourceVersion: String(this.#version) } }
    this.#tell({ version: this.#version, kind, type: 'DELETED', object, previous })
    return true
  }

  get(kind: FakeKind, namespace: string | undefined, name: string): FakeObject | undefined {
    return this.#objects.get(keyOf(kind, namespace, name))
  }

  /** All objects of a kind in the order of etcd's keys. */
  list(kind: FakeKind, namespace?: string): readonly FakeObject[] {
    const prefix = namespace ? `${typeOf(kind)}/${namespace}/` : `${typeOf(kind)}/`
    return [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, object]) => object)
  }

  /** Keeps a list for the pages that follow its first one. */
  keep(snapshot: Snapshot): string {
    const id = randomUUID()
    this.#snapshots.set(id, snapshot)
    return id
  }

  /** A kept list; undefined once its history has expired. */
  kept(id: string): Snapshot | undefined {
    return this.#snapshots.get(id)
  }

  /** The writes after a version; undefined when they are no longer all there. */
  since(version: number): readonly FakeEvent[] | undefined {
    if (version < this.#compacted) return undefined
    return this.#events.filter((event) => event.version > version)
  }

  /** Forgets all history up to now, as a compaction of etcd does. */
  expire(): void {
    this.#version += 1
    this.#compacted = this.#version
    this.#events = []
    this.#snapshots.clear()
  }

  /** Calls the listener on each write until the returned function is called. */
  listen(listener: (event: FakeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(event: FakeEvent): void {
    this.#events.push(event)
    for (const listener of this.#listeners) listener(event)
  }
}

function keyOf(kind: FakeKind, namespace: string | undefined, name: string): string {
  return kind.namespaced ? `${typeOf(kind)}/${namespace ?? 'default'}/${name}` : `${typeOf(kind)}/${name}`
}

/** The same in all versions of a group. */
function typeOf({ plural, apiVersion }: FakeKind): string {
  return `${apiVersion.split('/').slice(0, -1).join('/')}/${plural}`
}
