import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { WatchedStep } from './resource-steps.ts'
import type { KnownObject } from '../store/audit-store.ts'
import { resourceKey } from '../resource-key.ts'
import type { ObjectNames } from './review-reading.ts'

interface NamedNamespace {
  readonly uid: string
  /** Epoch milliseconds. */
  readonly since: number
  /** The one that had the name before, in this run. */
  readonly before: string | undefined
  ending: boolean
}

/** Beyond so many namespaces that are gone the ones that went first are forgotten. */
const MOST_GONE = 5000

/** Which object has a name, as far as the watches have told; of namespaces also those that are gone. */
export class KnownNames implements ObjectNames {
  readonly #objects = new Map<string, { readonly uid: string; readonly version: string }>()
  readonly #namespaces = new Map<string, NamedNamespace>()
  readonly #gone = new Set<string>()
  /** By `namespace/Kind/name` of what they scale. */
  readonly #autoscalers = new Map<string, { readonly uid: string; readonly name: string }>()

  /** Takes what a watch told. */
  take(step: WatchedStep): void {
    const key = `${step.resource} ${step.name}`
    if (!step.gone) this.#objects.set(key, { uid: step.uid, version: step.next.version })
    else if (this.#objects.get(key)?.uid === step.uid) this.#objects.delete(key)
    if (step.resource === 'namespaces.') this.#namespace(step)
    if (step.resource === 'horizontalpodautoscalers.autoscaling') this.#autoscaler(step)
  }

  /** What was known before the start, which the watches do not tell again where it is unchanged. */
  remember({ object, resourceVersion, body }: KnownObject): void {
    const { namespace, name, uid, kind } = object
    this.#objects.set(`${resourceKey(object)} ${namespace}/${name}`, { uid, version: resourceVersion })
    const known = body as KubernetesObject | undefined
    if (kind === 'Namespace') {
      const ending = known?.metadata?.deletionTimestamp !== undefined
      this.#namespaces.set(name, { uid, since: 0, before: undefined, ending })
    }
    if (kind === 'HorizontalPodAutoscaler' && known) this.#scales(known, namespace, name, uid)
  }

  object(resource: string, name: string): { readonly uid: string; readonly version: string } | undefined {
    return this.#objects.get(`${resource} ${name}`)
  }

  namespaceUid(namespace: string, time: number): string | undefined {
    const known = this.#namespaces.get(namespace)
    // Creation is told in whole seconds.
    return known?.before !== undefined && time < known.since ? known.before : known?.uid
  }

  /** The uid of a namespace that is being deleted, or is gone and has no successor. */
  endingNamespace(namespace: string): string | undefined {
    const known = this.#namespaces.get(namespace)
    return known?.ending ? known.uid : undefined
  }

  /** Which HorizontalPodAutoscaler scales an object. */
  autoscaler(namespace: string, kind: string, name: string): string | undefined {
    return this.#autoscalers.get(`${namespace}/${kind}/${name}`)?.name
  }

  #namespace({ seen, gone, uid }: WatchedStep): void {
    const known = this.#namespaces.get(seen.name)
    if (gone) {
      if (known?.uid !== uid) return
      known.ending = true
      this.#gone.add(seen.name)
      const [oldest] = this.#gone
      if (this.#gone.size > MOST_GONE && oldest !== undefined) {
        this.#gone.delete(oldest)
        this.#namespaces.delete(oldest)
      }
      return
    }
    this.#gone.delete(seen.name)
    const ending = seen.deletion !== ''
    if (known?.uid === uid) known.ending = ending
    else {
      const since = Date.parse(seen.object?.metadata?.creationTimestamp ?? '') || 0
      this.#namespaces.set(seen.name, { uid, since, before: known?.uid, ending })
    }
  }

  #autoscaler({ seen, gone, uid }: WatchedStep): void {
    for (const [target, known] of this.#autoscalers) if (known.uid === uid) this.#autoscalers.delete(target)
    if (gone) return
    if (seen.object) this.#scales(seen.object, seen.namespace, seen.name, uid)
  }

  #scales(object: KubernetesObject, namespace: string, autoscaler: string, uid: string): void {
    const spec = object['spec'] as
      { readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string } } | undefined
    const { kind = '', name = '' } = spec?.scaleTargetRef ?? {}
    this.#autoscalers.set(`${namespace}/${kind}/${name}`, { uid, name: autoscaler })
  }
}
