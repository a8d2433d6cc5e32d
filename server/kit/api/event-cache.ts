import type { ServedObject } from './resource.ts'

interface CachedText {
  readonly form: string
  readonly madeAt: number
  readonly bytes: Buffer
}

const MAX_OBJECTS = 256
/** Ages in a table are to the second at best. */
const FRESH_MS = 1000

/**
 * The bytes of what has just been told, so that a hundred watchers of the same event cost one serialization. Objects
 * are told by identity: readers share them. Only the latest are kept.
 */
export class EventCache {
  readonly #texts = new Map<ServedObject, CachedText[]>()

  /** The bytes of an event about the object in a form, made now unless somebody needed them within the last second. */
  bytes(object: ServedObject, form: string, now: number, make: () => string): Buffer {
    const known = this.#texts.get(object) ?? []
    const found = known.find((text) => text.form === form && Math.abs(now - text.madeAt) < FRESH_MS)
    if (found) return found.bytes
    const bytes = Buffer.from(make())
    this.#texts.set(object, [...known.filter((text) => text.form !== form), { form, madeAt: now, bytes }])
    const [oldest] = this.#texts.keys()
    if (this.#texts.size > MAX_OBJECTS && oldest) this.#texts.delete(oldest)
    return bytes
  }
}
