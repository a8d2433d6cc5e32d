import type { ListWatchEvent } from './list-watch-event.ts'
import type { Watched } from './watch-frame.ts'

/** A list that is being compared with what is known. */
export interface Relist<T> {
  add(objects: readonly T[]): void
  /** The difference as events: deletions first, so that a name that was used again is free before it is taken. */
  finish(resourceVersion: string): ListWatchEvent<T>[]
}

/** The last known state of all objects, and the rules by which lists and watch events change it. */
export class WatchedObjects<T extends Watched> {
  readonly #objects = new Map<string, T>()
  #resourceVersion = ''

  get count(): number {
    return this.#objects.size
  }

  /** Everything up to this version is known; a watch goes on from here. */
  get resourceVersion(): string {
    return this.#resourceVersion
  }

  /** Takes an object of a list into an empty store; undefined when the list named it twice. */
  initial(object: T): ListWatchEvent<T> | undefined {
    if (this.#objects.has(object.uid)) return undefined
    this.#objects.set(object.uid, object)
    return { type: 'added', object, initial: true }
  }

  /** The list that began with `initial` is whole. */
  listed(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion
  }

  /** Starts comparing a list with what is known; nothing changes before it is finished. */
  relist(initial: boolean): Relist<T> {
    const listed = new Set<string>()
    const changed: T[] = []
    return {
      add: (objects) => {
        for (const object of objects) {
          if (listed.has(object.uid)) continue
          listed.add(object.uid)
          if (this.#objects.get(object.uid)?.resourceVersion !== object.resourceVersion) changed.push(object)
        }
      },
      finish: (resourceVersion) => {
        const events: ListWatchEvent<T>[] = []
        for (const [uid, object] of this.#objects) {
          if (listed.has(uid)) continue
          this.#objects.delete(uid)
          events.push({ type: 'deleted', object })
        }
        for (const object of changed) events.push(this.#set(object, initial))
        this.#resourceVersion = resourceVersion
        return events
      },
    }
  }

  /** Takes a watch event; undefined when it tells nothing new, as after a server that repeats itself. */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): ListWatchEvent<T> | undefined {
    // A watch of one resource tells versions in rising order: what is not newer has been told before.
    if (!isNewer(object.resourceVersion, this.#resourceVersion)) return undefined
    this.#resourceVersion = object.resourceVersion
    if (type !== 'DELETED') return this.#set(object, false)
    return this.#objects.delete(object.uid) ? { type: 'deleted', object } : undefined
  }

  /**
   * Moves on to the version of a bookmark. False when the server is behind of what it told before: its storage
   * was restored from a backup, and a watch would be silent until the versions have caught up.
   */
  bookmark(resourceVersion: string): boolean {
    if (isNewer(this.#resourceVersion, resourceVersion)) return false
    this.#resourceVersion = resourceVersion
    return true
  }

  #set(object: T, initial: boolean): ListWatchEvent<T> {
    const previous = this.#objects.get(object.uid)
    this.#objects.set(object.uid, object)
    return previous ? { type: 'modified', object, previous } : { type: 'added', object, initial }
  }
}

/** Versions of built-in types and custom resources are ordered decimal numbers (KEP-5504); others only differ. */
function isNewer(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return version !== than
  return version.length === than.length ? version > than : version.length > than.length
}
