import type { NamedPart } from '../../../src/core/model/change-facts.ts'
import { viaOf } from '../../../src/core/model/change-via.ts'
import { listKeysOf } from '../../../src/core/model/list-keys.ts'
import {
  applyChanges,
  ChangeConflict,
  diffObjects,
  revertChanges,
} from '../../../src/core/model/object-diff.ts'
import { withoutNoise } from '../../../src/core/model/object-noise.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { FieldChange } from '../../../src/core/wire/change.ts'
import type { WatchedStep } from './resource-steps.ts'
import type { AuditStore, ChangeId, ChangeRecord, KnownObject } from '../store/audit-store.ts'
import { changeId } from '../change-name.ts'
import { managerOf, writtenAt } from './field-manager.ts'
import type { NextBatch } from './next-batch.ts'

/** What steps are kept with. */
export interface StepBookDeps {
  readonly store: Pick<AuditStore, 'knownObject' | 'get'>
  readonly batch: NextBatch
  readonly namespaceUid: (namespace: string, time: number) => string | undefined
}

interface BookedStep {
  readonly step: WatchedStep
  /** Without noise; undefined where bodies are not kept. */
  readonly body: KubernetesObject | undefined
  decided: boolean
}

/**
 * The steps of objects that are not decided yet. An object is kept in a new state only once every step to it is
 * decided: a restart would not find out about the others otherwise.
 */
export class StepBook {
  readonly #deps: StepBookDeps
  readonly #steps = new Map<string, BookedStep[]>()
  /** Of objects that the watch does not tell whole: what was reviewed and landed. */
  readonly #reviewed = new Map<string, KubernetesObject>()

  constructor(deps: StepBookDeps) {
    this.#deps = deps
  }

  /** A step was told. */
  add(step: WatchedStep): void {
    if (step.silent === 'noise') return
    const { object } = step.seen
    const body = object && step.recorded.watch === 'full' ? withoutNoise(object) : undefined
    const booked = { step, body, decided: false }
    const before = this.#steps.get(step.uid)
    if (before) before.push(booked)
    else this.#steps.set(step.uid, [booked])
  }

  /** A review landed: its object is what the next step that is settled leads to. */
  reviewed(uid: string, body: KubernetesObject): void {
    if (this.#steps.has(uid)) this.#reviewed.set(uid, body)
  }

  /** Nothing more is to be found out about a step: the object is kept as it was then. */
  settle(step: WatchedStep): void {
    const steps = this.#steps.get(step.uid)
    const booked = steps?.find((one) => one.step === step)
    if (!steps || !booked) return
    booked.decided = true
    step.seen.object = undefined
    for (let first = steps[0]; first?.decided; first = steps[0]) {
      steps.shift()
      this.#deps.batch.know(this.#known(first))
    }
    if (steps.length > 0) return
    this.#steps.delete(step.uid)
    this.#reviewed.delete(step.uid)
  }

  /** The record of a step that nobody reviewed; undefined where those with a name leave nothing over. */
  async unattributed(step: WatchedStep, id: ChangeId, named: NamedPart): Promise<ChangeRecord | undefined> {
    const { operation, gone, seen, previous, next, skipped } = step
    const { object } = seen
    const changes = await this.#changes(step, named)
    if (changes?.length === 0) return undefined
    const manager = operation === 'DELETE' ? '' : managerOf(object, changes ?? [])
    // Those with a name are told by themselves: what is left lies between them.
    const [before, after] = await Promise.all([
      this.#recordOf(named.first.at(-1)),
      this.#recordOf(named.last[0]),
    ])
    const end = after?.object.resourceVersion.before || next.version
    return {
      id,
      time: Math.min(timeOf(step, changes ?? []), after?.time ?? Number.POSITIVE_INFINITY),
      // Who made it has a name: what is left is what was written to it since.
      operation: operation === 'CREATE' && named.first.length > 0 ? 'UPDATE' : operation,
      state: 'unattributed',
      reason: skipped ? 'while not recording' : 'no review came for it',
      object: {
        ...this.#identity(step),
        subresource: '',
        resourceVersion: {
          before: before?.object.resourceVersion.after || (previous?.version ?? ''),
          after: gone || operation === 'DELETE' ? '' : end,
        },
      },
      actor: 'unknown',
      via: viaOf({ manager, user: undefined, object }),
      changes: changes ?? [],
      ...(changes === undefined ? { truncated: true } : {}),
    }
  }

  /** Undefined where what was there before is not known. */
  async #changes(step: WatchedStep, named: NamedPart): Promise<readonly FieldChange[] | undefined> {
    const { operation, seen } = step
    const steps = this.#steps.get(step.uid) ?? []
    const index = steps.findIndex((one) => one.step === step)
    const next = steps[index]?.body
    const keys = listKeysOf(seen.object)
    if (operation === 'CREATE' && named.first.length === 0) {
      return next && diffObjects(undefined, await this.#reverted(next, named.last), keys)
    }
    const before = index > 0 ? steps[index - 1]?.body : await this.#body(step.uid)
    if (operation === 'DELETE') {
      const last = before ?? next
      return last && diffObjects(last, undefined, keys)
    }
    const base = await this.#applied(before, named.first)
    return base && next && diffObjects(base, await this.#reverted(next, named.last), keys)
  }

  async #body(uid: string): Promise<KubernetesObject | undefined> {
    const known = this.#deps.batch.known(uid) ?? (await this.#deps.store.knownObject(uid))
    return known?.body as KubernetesObject | undefined
  }

  async #applied(
    before: KubernetesObject | undefined,
    named: readonly string[],
  ): Promise<KubernetesObject | undefined> {
    let body: unknown = before
    for (const name of named) body = fitting(applyChanges, body, await this.#changesOf(name))
    return body as KubernetesObject | undefined
  }

  async #reverted(next: KubernetesObject, named: readonly string[]): Promise<KubernetesObject> {
    let body: unknown = next
    for (const name of named.toReversed()) body = fitting(revertChanges, body, await this.#changesOf(name))
    return body as KubernetesObject
  }

  async #changesOf(name: string): Promise<readonly FieldChange[]> {
    return (await this.#recordOf(name))?.changes ?? []
  }

  async #recordOf(name: string | undefined): Promise<ChangeRecord | undefined> {
    if (name === undefined) return undefined
    const id = changeId(name)
    return this.#deps.batch.record(name) ?? (id && (await this.#deps.store.get(id)))
  }

  #known({ step, body }: BookedStep): KnownObject {
    const { next, gone } = step
    return {
      object: this.#identity(step),
      resourceVersion: next.version,
      hash: next.hash,
      body: body ?? this.#reviewed.get(step.uid),
      ...(gone ? { gone } : {}),
    }
  }

  #identity({ recorded, seen, time, uid }: WatchedStep): KnownObject['object'] {
    const { group, version, resource, kind, namespaced } = recorded
    const { namespace, name } = seen
    // Once known it stays: its end may be told when another namespace has the name, whose owner shall not see it.
    if (namespaced && seen.namespaceUid === '')
      seen.namespaceUid = this.#deps.namespaceUid(namespace, time) ?? ''
    return { group, version, resource, kind, namespace, namespaceUid: seen.namespaceUid, name, uid }
  }
}

/** managedFields leave out the part of a second: its end is not before the gap in which it was written. */
const SECOND_MS = 1000

/** What was missed was written some time before it was noticed, and managedFields may tell when. */
function timeOf({ skipped, operation, seen, time }: WatchedStep, changes: readonly FieldChange[]): number {
  const written = skipped && operation === 'UPDATE' ? writtenAt(seen.object, changes) : undefined
  return written === undefined ? time : Math.min(time, written + SECOND_MS - 1)
}

/** What a diff makes of an object; the object itself where it does not fit. */
function fitting(
  put: (object: unknown, changes: readonly FieldChange[]) => unknown,
  object: unknown,
  changes: readonly FieldChange[],
): unknown {
  try {
    return put(object, changes)
  } catch (error) {
    if (error instanceof ChangeConflict) return object
    throw error
  }
}
