import { netEffect } from '../../src/core/model/net-effect.ts'
import { scopeKey, type StateTransition } from './image-state.ts'
import type { JournalEvent } from './journal-records.ts'

/** A transition and when it was seen, in epoch milliseconds. */
export interface SeenTransition {
  readonly transition: StateTransition
  readonly time: number
}

/** What the transitions of one batch mean to the journal. */
export interface EventOptions {
  readonly late: boolean
  /** They are the difference of two lists: only what differs in the end is told. */
  readonly net: boolean
  /** Whether an image is in use in the cluster after all of them. */
  readonly inUse: (image: string) => boolean
}

/** An event that has no number yet. */
export type UnnumberedEvent = Omit<JournalEvent, 'number'>

/**
 * The events of one batch of transitions. Those of the cluster are among those of namespaces: an image that comes into
 * the cluster comes into a namespace with the same pod, and one that leaves it leaves a namespace.
 */
export function journalEvents(seen: readonly SeenTransition[], options: EventOptions): UnnumberedEvent[] {
  return options.net ? netEvents(seen, options) : seen.flatMap((each) => eventsOf(each, options.late))
}

function eventsOf({ transition, time }: SeenTransition, late: boolean): UnnumberedEvent[] {
  const { scope, local, cluster } = transition
  if (local.op !== '+' && local.op !== '-') return []
  return [
    {
      op: local.op,
      image: local.image,
      namespace: scope.namespace,
      namespaceUid: scope.namespaceUid,
      pod: local.pod.name,
      podUid: local.pod.uid,
      time,
      late,
      cluster: cluster === local.op,
    },
  ]
}

function netEvents(seen: readonly SeenTransition[], { late, inUse }: EventOptions): UnnumberedEvent[] {
  const events = settleScopes(seen).flatMap((each) => eventsOf(each, late))
  const wasInUse = new Map<string, boolean>()
  for (const { transition } of seen) {
    const { image } = transition.local
    // The first thing that an image does tells what it was before.
    if (!wasInUse.has(image)) wasInUse.set(image, transition.cluster !== '+')
  }
  // Which pod of which namespace stands for the cluster's event: the first that came, the last that went.
  const marked = new Map<string, number>()
  for (const [i, { op, image }] of events.entries()) {
    if (wasInUse.get(image) === inUse(image)) continue
    if (op === '-' || !marked.has(image)) marked.set(image, i)
  }
  return events.map((event, i) => ({ ...event, cluster: marked.get(event.image) === i }))
}

function settleScopes(seen: readonly SeenTransition[]): SeenTransition[] {
  const settled = [...seen]
  const byScope = new Map<string, number[]>()
  for (const [i, { transition }] of seen.entries()) {
    const key = scopeKey(transition.scope)
    const places = byScope.get(key)
    if (places) places.push(i)
    else byScope.set(key, [i])
  }
  for (const places of byScope.values()) {
    const own = places.flatMap((i) => seen[i] ?? [])
    const locals = netEffect(own.map(({ transition }) => transition.local))
    for (const [at, place] of places.entries()) {
      const [each, local] = [own[at], locals[at]]
      if (each && local) settled[place] = { ...each, transition: { ...each.transition, local } }
    }
  }
  return settled
}
