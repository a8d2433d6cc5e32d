import type { ResourceAttributes } from '../../../src/core/kube/access-review.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { apiVersionOf, refOf, type ObjectRef } from '../../../src/cli/features/deckwatch/kinds.ts'
import type { Answer, ClusterPort, ObjectQuery } from '../../../src/cli/features/deckwatch/ports.ts'
import type { StoredObject } from '../../../src/cli/features/deckwatch/stored-object.ts'

/** A cluster in memory: what features of the installation see of one, and a journal of what they did to it. */
export class MemoryCluster implements ClusterPort {
  /** `apply deployments/deckwatch`, `delete …`, `probe /path`; dry runs and reads are left out. */
  readonly journal: string[] = []
  /** What a GET of a path is answered; 404 where it says nothing. */
  answers: (path: string) => Partial<Answer> | undefined = () => undefined
  /** Called before each write; throws to refuse it. */
  beforeWrite: (verb: 'apply' | 'delete', ref: ObjectRef, dryRun: boolean) => void = () => undefined
  allows: (attributes: ResourceAttributes) => boolean = () => true
  /** Plurals that may not be read. */
  readonly hidden = new Set<string>()
  /** Plurals whose deletion only marks. */
  readonly sticky = new Set<string>()
  readonly #objects = new Map<string, StoredObject>()

  /** Puts objects that are there already; kind, apiVersion and a name are enough. */
  put(...objects: readonly StoredObject[]): void {
    for (const object of objects) this.#objects.set(keyOf(refOf(object)), object)
  }

  /** Takes one away without a word in the journal. */
  drop(ref: ObjectRef): void {
    this.#objects.delete(keyOf(ref))
  }

  get names(): readonly string[] {
    return [...this.#objects.keys()].toSorted()
  }

  async get(ref: ObjectRef): Promise<StoredObject | undefined> {
    this.#refuseHidden(ref.kind.plural)
    return this.#objects.get(keyOf(ref))
  }

  async list({ kind, namespace, labelSelector }: ObjectQuery): Promise<readonly StoredObject[]> {
    this.#refuseHidden(kind.plural)
    const wanted = (labelSelector ?? '').split(',').filter(Boolean)
    return [...this.#objects.values()].filter(
      (object) =>
        object.kind === kind.kind &&
        object.apiVersion === apiVersionOf(kind) &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        wanted.every((term) => {
          const [label = '', value] = term.split('=')
          return object.metadata.labels?.[label] === value
        }),
    )
  }

  async apply(object: StoredObject, { dryRun }: { readonly dryRun: boolean }): Promise<StoredObject> {
    const ref = refOf(object)
    this.beforeWrite('apply', ref, dryRun)
    const before = this.#objects.get(keyOf(ref))
    const status = before?.['status']
    const after = { ...object, ...(status === undefined ? {} : { status }) }
    if (dryRun) return after
    this.journal.push(`apply ${keyOf(ref)}`)
    this.#objects.set(keyOf(ref), after)
    return after
  }

  async delete(ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    this.beforeWrite('delete', ref, false)
    const object = this.#objects.get(keyOf(ref))
    if (!object) return false
    this.journal.push(`delete ${keyOf(ref)}`)
    if (!this.sticky.has(ref.kind.plural)) this.#objects.delete(keyOf(ref))
    return true
  }

  async probe(path: string, _limitMs: number, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted()
    const { status = 200, body = '', milliseconds = 4 } = this.answers(path) ?? { status: 404 }
    this.journal.push(`probe ${path} ${status}`)
    return { status, body, milliseconds }
  }

  async may(attributes: ResourceAttributes): Promise<boolean> {
    return this.allows(attributes)
  }

  #refuseHidden(plural: string): void {
    if (!this.hidden.has(plural)) return
    throw new DeckError('KUBE_FORBIDDEN', `user "jane" may not list ${plural}`, { status: 403 })
  }
}

function keyOf({ kind, namespace, name }: ObjectRef): string {
  return [kind.plural, ...(kind.namespaced ? [namespace ?? ''] : []), name].join('/')
}
