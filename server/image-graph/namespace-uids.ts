import { backoffDelay } from '../../src/core/kube/backoff.ts'
import { requestJson } from '../../src/core/kube/json-request.ts'
import { pagedList, type ResourceSource } from '../../src/core/kube/paged-list.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import type { Clock } from '../../src/core/lib/time.ts'
import type { PodSlice } from '../../src/core/wire/pod.ts'
import type { Log } from '../kit/log.ts'

/** What asking for the uids of namespaces needs. */
export interface NamespaceUidsDeps {
  readonly transport: KubeTransport
  readonly clock: Clock
  readonly log: Log
}

interface NamespaceSlice {
  readonly name: string
  readonly uid: string
  /** Epoch milliseconds. */
  readonly created: number
}

interface NamespaceJson {
  readonly metadata?: {
    readonly name?: string
    readonly uid?: string
    readonly creationTimestamp?: string
  }
}

interface PodListJson {
  readonly items?: readonly { readonly metadata?: { readonly uid?: string } }[]
}

const NAMESPACES: ResourceSource<NamespaceSlice> = {
  path: '/api/v1/namespaces',
  purpose: { resource: 'namespaces', namespaced: false },
  decoder: { fromJson: namespaceFromJson, keyOf: ({ name }) => name },
}

/** What a pod list tells of a moment that lies back no further than this: a longer outage ends in a new list. */
const LIST_AGE_MS = 10 * 60_000

/** A request takes no longer, in milliseconds. */
const REQUEST_MS = 10_000

/**
 * Whose namespace it is that a pod was seen in. A pod says only its namespace's name, which may have gone and come
 * again as another's since.
 */
export class NamespaceUids {
  readonly #deps: NamespaceUidsDeps
  #trouble: string | undefined

  constructor(deps: NamespaceUidsDeps) {
    this.#deps = deps
  }

  /** Why the uids cannot be asked for at present; undefined where they can. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /**
   * The uids of all namespaces that are older than any list of pods that is still believed, so that every pod of such
   * a list belongs to them.
   */
  async settled(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { transport, clock } = this.#deps
    return this.#persist(signal, async (attempt) => {
      const uids = new Map<string, string>()
      const oldEnough = clock.now() - LIST_AGE_MS
      for await (const batch of pagedList(transport, NAMESPACES, { signal: attempt, clock })) {
        for (const { name, uid, created } of batch) if (created < oldEnough) uids.set(name, uid)
      }
      return uids
    })
  }

  /**
   * The uid of the namespace that this very pod is in; empty where the pod, and perhaps the namespace, has gone.
   *
   * A namespace can come again only after the last pod of its name has gone. The pod is looked for after the namespace
   * was read: it was there before, is there after, and so it is in the namespace that was read in between. Pods that
   * come to a namespace while others are known there are in the same one, because the watch tells ends in their order:
   * nobody need ask again before the last of them has gone.
   */
  of({ namespace, name, uid }: PodSlice, signal: AbortSignal): Promise<string> {
    const { transport } = this.#deps
    const folder = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
    return this.#persist(signal, async (attempt) => {
      const found = await requestJson<NamespaceJson>(transport, {
        path: folder,
        purpose: { verb: 'get', resource: 'namespaces', name: namespace, namespaced: false },
        signal: attempt,
      }).catch((error: unknown) => {
        if (error instanceof DeckError && error.code === 'KUBE_NOT_FOUND') return undefined
        throw error
      })
      if (!found) return ''
      const query = new URLSearchParams({ fieldSelector: `metadata.name=${name}`, limit: '1' })
      const pods = await requestJson<PodListJson>(transport, {
        path: `${folder}/pods?${query.toString()}`,
        purpose: { verb: 'list', resource: 'pods', namespace },
        signal: attempt,
      })
      return pods.items?.[0]?.metadata?.uid === uid ? (found.metadata?.uid ?? '') : ''
    })
  }

  /** Tries until it works or the signal aborts: without the uid nothing may be recorded. */
  async #persist<T>(signal: AbortSignal, ask: (attempt: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, log } = this.#deps
    for (let failures = 1; ; failures += 1) {
      try {
        const answer = await ask(AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]))
        this.#trouble = undefined
        return answer
      } catch (err) {
        signal.throwIfAborted()
        if (!(err instanceof Error)) throw err
        this.#trouble = err.message
        log.warn({ err }, 'the uid of a namespace could not be read')
        const wait = err instanceof DeckError ? err.retryAfterMs : undefined
        await clock.sleep(backoffDelay(failures, Math.random(), wait), signal)
      }
    }
  }
}

function namespaceFromJson(value: unknown): NamespaceSlice {
  const { name = '', uid = '', creationTimestamp = '' } = (value as NamespaceJson).metadata ?? {}
  return { name, uid, created: Date.parse(creationTimestamp) }
}
