import type { V1Pod } from '@kubernetes/client-node'
import type { ApiClient } from './kubernetes/api-client.ts'
import type { ChurnWitness } from './plugin/churn.ts'
import { referencesOf } from './plugin/fold-images.ts'

/** An image that came into use (`+`) or went out of it (`-`) in some scope, and the pod that made the difference. */
export interface RecordedTransition {
  readonly op: '+' | '-'
  readonly image: string
  readonly uid: string
}

/** What one request did in some scope; never nothing. */
export type RecordedStep = readonly RecordedTransition[]

interface Change {
  readonly revision: number
  readonly namespace: string
  readonly uid: string
  /** None where the pod has gone. */
  readonly images: readonly string[]
}

/** A place in a record. */
export interface RecordMark {
  readonly revision: number
}

/**
 * What pods did, by nothing but the API server's answers to those who did it: every answer has the revision of etcd, so
 * that the order is known in which a watch must tell it. Knows nothing of the product's code.
 */
export class ChurnRecord implements ChurnWitness {
  readonly #changes: Change[] = []
  #unanswered = false

  answered(op: 'put' | 'remove', pod: V1Pod): void {
    const { uid = '', namespace = '', resourceVersion = '' } = pod.metadata ?? {}
    const images = op === 'put' ? referencesOf([pod]) : []
    this.#changes.push({ revision: Number(resourceVersion), namespace, uid, images })
  }

  unanswered(): void {
    this.#unanswered = true
  }

  /** Whether every request was answered since the last `settle`, so that the order of all of them is known. */
  get isWhole(): boolean {
    return !this.#unanswered
  }

  /**
   * Compares with a list of all pods; throws where that differs from the record, unless requests were not answered:
   * then the record is mended by the list.
   */
  async settle(admin: ApiClient): Promise<void> {
    const { items, metadata } = await admin.send<{
      items: readonly V1Pod[]
      metadata: { resourceVersion: string }
    }>('GET', '/api/v1/pods')
    const listed = new Map(items.map((pod) => [pod.metadata?.uid ?? '', pod]))
    const known = this.#pods()
    const gone = [...known].filter(([uid]) => !listed.has(uid))
    const news = items.filter(
      (pod) => referencesOf([pod]).join() !== known.get(pod.metadata?.uid ?? '')?.images.join(),
    )
    if (gone.length + news.length === 0) return
    if (this.isWhole) {
      const [missing, other] = [gone.map(([uid]) => uid), news.map(({ metadata: { uid } = {} }) => uid)]
      throw new Error(`the record is wrong: ${JSON.stringify({ missing, other })}`)
    }
    for (const [uid, { namespace }] of gone)
      this.#changes.push({ revision: Number(metadata.resourceVersion), namespace, uid, images: [] })
    for (const pod of news) this.answered('put', pod)
  }

  /** What is in use, by reference. */
  inUse(namespace?: string): readonly string[] {
    const pods = [...this.#pods().values()].filter((pod) => inScope(pod, namespace))
    return [...new Set(pods.flatMap(({ images }) => images))].toSorted()
  }

  /** Everything up to now lies behind, and is not among the steps from here on. */
  mark(): RecordMark {
    this.#unanswered = false
    return { revision: Math.max(0, ...this.#changes.map(({ revision }) => revision)) }
  }

  /** What happened after a mark in a namespace, or in the whole cluster, in its order. */
  steps(after: RecordMark, namespace?: string): readonly RecordedStep[] {
    const pods = new Map<string, readonly string[]>()
    const users = new Map<string, number>()
    const steps: RecordedStep[] = []
    const ordered = this.#changes.toSorted((a, b) => a.revision - b.revision)
    for (const change of ordered) {
      if (!inScope(change, namespace)) continue
      const before = pods.get(change.uid) ?? []
      pods.set(change.uid, change.images)
      const step: RecordedTransition[] = []
      for (const image of change.images) {
        if (before.includes(image)) continue
        const count = (users.get(image) ?? 0) + 1
        users.set(image, count)
        if (count === 1) step.push({ op: '+', image, uid: change.uid })
      }
      for (const image of before) {
        if (change.images.includes(image)) continue
        const count = (users.get(image) ?? 0) - 1
        users.set(image, count)
        if (count === 0) step.push({ op: '-', image, uid: change.uid })
      }
      if (step.length > 0 && change.revision > after.revision) steps.push(step)
    }
    return steps
  }

  #pods(): Map<string, Change> {
    const pods = new Map<string, Change>()
    for (const change of this.#changes.toSorted((a, b) => a.revision - b.revision)) {
      if (change.images.length > 0) pods.set(change.uid, change)
      else pods.delete(change.uid)
    }
    return pods
  }
}

function inScope({ namespace }: Change, wanted: string | undefined): boolean {
  return wanted === undefined || namespace === wanted
}
