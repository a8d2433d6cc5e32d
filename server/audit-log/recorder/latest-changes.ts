import { causeOf, type CauseLookups, type CausingChange } from '../../../src/core/model/change-cause.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { ChangeCause } from '../../../src/core/wire/change.ts'
import type { ChangeRecord } from '../store/audit-store.ts'
import { changeName } from '../change-name.ts'

/** So many objects are remembered; those that changed longest ago are forgotten first. */
const MOST_OBJECTS = 20_000
/** Of ends that were asked for: reviews may be made up. */
const MOST_ASKED = 1000

interface Latest {
  change: CausingChange
  deletion: CausingChange | undefined
  eviction: CausingChange | undefined
}

/** The latest changes of objects, by which causes are found. */
export class LatestChanges {
  readonly #names: Pick<CauseLookups, 'endingNamespace' | 'autoscaler'>
  readonly #objects = new Map<string, Latest>()
  /** Ends that were asked for, by the uid of whose they are. */
  readonly #asked = new Map<string, CausingChange>()

  constructor(names: Pick<CauseLookups, 'endingNamespace' | 'autoscaler'>) {
    this.#names = names
  }

  /** A change is asked for. What goes with an object may be seen to go, by another watch, before the object is. */
  ask({ id, object, operation, user }: ChangeRecord): void {
    if (operation !== 'DELETE' || object.subresource !== '' || object.uid === '') return
    this.#asked.delete(object.uid)
    this.#asked.set(object.uid, { change: changeName(id), username: user?.username ?? '' })
    const [oldest] = this.#asked.keys()
    if (this.#asked.size > MOST_ASKED && oldest !== undefined) this.#asked.delete(oldest)
  }

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

  /** What led to a change; `object` is what was written. */
  causeOf(
    { operation, object: of, user }: ChangeRecord,
    object: KubernetesObject | undefined,
    subresource = of.subresource,
  ): ChangeCause | undefined {
    const { kind, namespace, name, uid } = of
    const username = user?.username ?? ''
    return causeOf(
      { operation, subresource, kind, namespace, name, uid, username, object },
      {
        latest: (owner, deleted) => this.#latest(owner, deleted),
        eviction: (pod) => this.#objects.get(pod)?.eviction,
        endingNamespace: (ending) => this.#names.endingNamespace(ending),
        autoscaler: (...target) => this.#names.autoscaler(...target),
      },
    )
  }

  #latest(uid: string, operation: 'DELETE' | undefined): CausingChange | undefined {
    const known = this.#objects.get(uid)
    return operation === 'DELETE' ? (known?.deletion ?? this.#asked.get(uid)) : known?.change
  }
}
