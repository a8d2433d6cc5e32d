import type { CausingChange } from '../../../src/core/model/change-cause.ts'
import type { ChangeRecord } from '../store/audit-store.ts'
import { changeName } from './next-batch.ts'

/** So many objects are remembered; those that changed longest ago are forgotten first. */
const MOST_OBJECTS = 20_000

interface Latest {
  change: CausingChange
  deletion: CausingChange | undefined
  eviction: CausingChange | undefined
}

/** The latest changes of objects, by which causes are found. */
export class LatestChanges {
  readonly #objects = new Map<string, Latest>()

  /** A change landed. */
  note({ id, object, operation, user }: ChangeRecord): void {
    if (object.uid === '' || operation === 'CONNECT') return
    const change = { change: changeName(id), username: user?.username ?? '' }
    const before = this.#objects.get(object.uid)
    this.#objects.delete(object.uid)
    this.#objects.set(object.uid, {
      change,
      deletion: operation === 'DELETE' ? change : before?.deletion,
      eviction: object.subresource === 'eviction' ? change : before?.eviction,
    })
    const [oldest] = this.#objects.keys()
    if (this.#objects.size > MOST_OBJECTS && oldest !== undefined) this.#objects.delete(oldest)
  }

  latest(uid: string, operation: 'DELETE' | undefined): CausingChange | undefined {
    const known = this.#objects.get(uid)
    return operation === 'DELETE' ? known?.deletion : known?.change
  }

  eviction(uid: string): CausingChange | undefined {
    return this.#objects.get(uid)?.eviction
  }
}
