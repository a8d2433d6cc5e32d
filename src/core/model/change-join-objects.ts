import type { Transition } from './change-facts.ts'
import { ObjectTrack } from './change-join-track.ts'

/** A resource and the name of an object: what an object has in common with those that had its name before. */
export interface Named {
  readonly resource: string
  readonly name: string
}

/** What is open about all objects, by uid, or by name where reviews do not tell the uid. */
export class ObjectTracks<T extends Transition> {
  readonly #tracks = new Map<string, ObjectTrack<T>>()
  /** Tracks of the objects that have, or had of late, a name. */
  readonly #named = new Map<string, Set<ObjectTrack<T>>>()

  /** The track of an object, or (without a uid) of a name; begun where there is none. */
  of(named: Named & { readonly uid: string }): ObjectTrack<T> {
    const key = named.uid === '' ? nameKey(named) : named.uid
    const found = this.#tracks.get(key)
    if (found) return found
    const track = new ObjectTrack<T>(key)
    this.#tracks.set(key, track)
    return track
  }

  has({ uid, ...named }: Named & { readonly uid: string }): boolean {
    return this.#tracks.has(uid) || this.#tracks.has(nameKey(named))
  }

  /** What is open about a name itself. */
  byName(named: Named): ObjectTrack<T> | undefined {
    return this.#tracks.get(nameKey(named))
  }

  /** The objects that have, or had of late, a name. */
  withName(named: Named): Iterable<ObjectTrack<T>> {
    return this.#named.get(nameKey(named)) ?? []
  }

  /** An object was seen under a name. */
  name(track: ObjectTrack<T>, named: Named): void {
    const name = nameKey(named)
    const tracks = this.#named.get(name)
    if (tracks) tracks.add(track)
    else this.#named.set(name, new Set([track]))
    track.names.add(name)
  }

  delete(track: ObjectTrack<T>): void {
    this.#tracks.delete(track.key)
    for (const name of track.names) {
      const tracks = this.#named.get(name)
      if (tracks?.delete(track) && tracks.size === 0) this.#named.delete(name)
    }
  }
}

function nameKey({ resource, name }: Named): string {
  return `${resource} ${name}`
}
