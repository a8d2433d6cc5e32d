import type { ListWatchEvent } from '../../../src/core/kube/list-watch-event.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Transition } from '../../../src/core/model/change-facts.ts'
import type { RecordedResource } from '../config.ts'
import { resourceKey } from '../resource-key.ts'
import { newestEntry, silentReason, type SilentRules } from './silent-writes.ts'
import type { WatchedObject } from './watched-object.ts'

/** A step of an object as the watch told it. */
export interface WatchedStep extends Transition {
  readonly recorded: RecordedResource
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  /** The deletion had begun before: this is its end. */
  readonly finishes: boolean
  /** What was seen last; its `object` is let go once it is kept. */
  readonly seen: WatchedObject
}

/** What flows in from the watches. */
export type FeedItem =
  | { readonly type: 'step'; readonly step: WatchedStep }
  /** All objects of the resource are known, and followed from now on. */
  | { readonly type: 'synced'; readonly recorded: RecordedResource }
  | { readonly type: 'interrupted'; readonly recorded: RecordedResource; readonly at: number }
  /** It cannot be listed or watched for now: a right is missing, or its definition is gone. */
  | { readonly type: 'refused'; readonly recorded: RecordedResource }
  | {
      readonly type: 'resumed'
      readonly recorded: RecordedResource
      readonly at: number
      readonly downMs: number
      /** Steps may have been missed. */
      readonly relisted: boolean
    }

/** What was known of an object before the recorder started. */
export type KnownBefore = Pick<
  WatchedObject,
  'uid' | 'namespace' | 'name' | 'namespaceUid' | 'state' | 'replicas' | 'deletion'
>

/** What is known at the start of one resource. */
export interface WatchStart {
  readonly known: ReadonlyMap<string, KnownBefore>
  /** Epoch milliseconds until when the resource was recorded before; undefined where it never was. */
  readonly recordedUntil: number | undefined
}

/** What steps are made with. */
export interface StepDeps {
  readonly clock: Clock
  readonly rules: SilentRules
  /** Up to where the journal is synced now, as a number that rises. */
  readonly mark: () => number
}

/**
 * What came so shortly before the last heartbeat may have been undecided then, and is not in the store: its review was
 * on its way from another replica. Times of creation are in whole seconds besides.
 */
const UNDECIDED_MS = 60_000

/** Makes steps of the events of one resource. */
export class ResourceSteps {
  readonly #recorded: RecordedResource
  readonly #deps: StepDeps
  #recordedUntil: number | undefined
  /** What was seen last of each object that exists. */
  readonly #last = new Map<string, WatchedObject>()
  /** What was known before the start and has not been listed yet; undefined when the first list is whole. */
  #before: Map<string, KnownBefore> | undefined
  /** The uids of those, by their names. */
  #names: ReadonlyMap<string, string>
  #synced = false
  /** Epoch milliseconds: since when there is no list + watch at all. */
  #lostAt: number | undefined
  /** Steps since the watch was lost: only its return tells whether some are missing between them. */
  #missed: WatchedStep[] | undefined

  constructor(recorded: RecordedResource, start: WatchStart, deps: StepDeps) {
    this.#recorded = recorded
    this.#deps = deps
    this.#recordedUntil = start.recordedUntil
    this.#before = new Map(start.known)
    this.#names = uidsByName(this.#before)
  }

  *take(event: ListWatchEvent<WatchedObject>): Generator<FeedItem, void> {
    const recorded = this.#recorded
    switch (event.type) {
      case 'added':
      case 'modified': {
        const { object } = event
        const previous = this.#last.get(object.uid)
        this.#last.set(object.uid, object)
        const steps = this.#before
          ? this.#listed(object, this.#before)
          : [this.#step(previous, object, false)]
        yield* this.#pass(steps)
        break
      }
      case 'deleted': {
        const { object } = event
        const previous = this.#last.get(object.uid) ?? object
        this.#last.delete(object.uid)
        yield* this.#pass([this.#step(previous, object, true)])
        break
      }
      case 'synced': {
        const gone = [...(this.#before?.values() ?? [])]
        this.#before = undefined
        this.#names = new Map()
        this.#synced = true
        yield* this.#pass(gone.map((known) => this.#gone(known)))
        if (this.#lostAt === undefined) yield { type: 'synced', recorded }
        else {
          const at = this.#deps.clock.now()
          yield { type: 'resumed', recorded, at, downMs: Math.max(0, at - this.#lostAt), relisted: true }
          this.#lostAt = undefined
        }
        break
      }
      case 'interrupted':
        if (!this.#synced) break
        this.#missed ??= []
        yield { type: 'interrupted', recorded, at: event.at }
        break
      case 'resumed': {
        const missed = this.#missed ?? []
        this.#missed = undefined
        const relisted = event.how === 'relist'
        for (const step of missed) yield { type: 'step', step: relisted ? this.#skipped(step) : step }
        if (this.#synced) yield { type: 'resumed', recorded, at: event.at, downMs: event.downMs, relisted }
        break
      }
      case 'failing':
        break
      default:
        event satisfies never
    }
  }

  /** The list + watch has ended; what the next one lists is compared with what is known now. */
  *lost(at: number): Generator<FeedItem, void> {
    if (!this.#synced) yield { type: 'refused', recorded: this.#recorded }
    if (!this.#synced || this.#lostAt !== undefined) return
    this.#lostAt = at
    this.#before = new Map(this.#last)
    this.#names = uidsByName(this.#before)
    this.#recordedUntil = at
    for (const step of this.#missed ?? []) yield { type: 'step', step: this.#skipped(step) }
    this.#missed = undefined
    yield { type: 'interrupted', recorded: this.#recorded, at }
  }

  *#pass(steps: readonly WatchedStep[]): Generator<FeedItem, void> {
    for (const step of steps) {
      if (this.#missed) this.#missed.push(step)
      else yield { type: 'step', step }
    }
  }

  /** An object of the first list, beside what was known of it and of the one that had its name. */
  #listed(object: WatchedObject, before: Map<string, KnownBefore>): readonly WatchedStep[] {
    const known = before.get(object.uid)
    before.delete(object.uid)
    if (known?.state.version === object.state.version) {
      object.namespaceUid = known.namespaceUid
      object.object = undefined
      return []
    }
    if (known) return [this.#skipped(this.#step(known, object, false))]
    // Made first, so that its time is not after the new one's.
    const replaced = this.#replaced(object, before)
    const made = Date.parse(object.object?.metadata?.creationTimestamp ?? '')
    const step = this.#skipped(this.#step(undefined, object, false))
    const isNew = this.#recordedUntil !== undefined && made + UNDECIDED_MS > this.#recordedUntil
    return [...replaced, isNew ? step : { ...step, silent: 'known' }]
  }

  /** The end of the object that had the name: told after the new one, it would be taken for the new one's. */
  #replaced(object: WatchedObject, before: Map<string, KnownBefore>): readonly WatchedStep[] {
    const known = before.get(this.#names.get(nameOf(object)) ?? '')
    if (!known) return []
    before.delete(known.uid)
    return [this.#gone(known)]
  }

  #gone(known: KnownBefore): WatchedStep {
    this.#last.delete(known.uid)
    const seen: WatchedObject = { ...known, resourceVersion: known.state.version, object: undefined }
    return this.#skipped(this.#step(known, seen, true))
  }

  #skipped(step: WatchedStep): WatchedStep {
    return { ...step, skipped: true, silent: this.#silent({ ...step, skipped: true }) }
  }

  #step(previous: KnownBefore | undefined, seen: WatchedObject, gone: boolean): WatchedStep {
    const { clock, mark } = this.#deps
    if (previous) seen.namespaceUid = previous.namespaceUid
    const deletion = !gone && seen.deletion !== '' && seen.deletion !== previous?.deletion
    const step = {
      recorded: this.#recorded,
      resource: resourceKey(this.#recorded),
      uid: seen.uid,
      name: nameOf(seen),
      time: clock.now(),
      operation: gone || deletion ? 'DELETE' : previous === undefined ? 'CREATE' : 'UPDATE',
      previous: previous?.state,
      next: seen.state,
      gone,
      deletion,
      replicas: { from: previous?.replicas, to: seen.replicas },
      subresource: newestEntry(seen.object)?.subresource ?? '',
      skipped: false,
      silent: undefined,
      mark: mark(),
      finishes: gone && previous !== undefined && previous.deletion !== '',
      seen,
    } as const
    return { ...step, silent: this.#silent(step) }
  }

  #silent(step: WatchedStep): WatchedStep['silent'] {
    const { recorded, operation, previous, next, gone, seen, skipped, deletion, finishes } = step
    return silentReason(
      {
        recorded,
        operation,
        namespace: seen.namespace,
        name: seen.name,
        object: seen.object,
        unchanged: previous !== undefined && !gone && !deletion && previous.content === next.content,
        finished: finishes,
        skipped,
      },
      this.#deps.rules,
    )
  }
}

function nameOf({ namespace, name }: Pick<KnownBefore, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}

function uidsByName(known: ReadonlyMap<string, KnownBefore>): ReadonlyMap<string, string> {
  return new Map([...known.values()].map((one) => [nameOf(one), one.uid]))
}
