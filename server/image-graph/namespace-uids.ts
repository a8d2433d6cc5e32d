import { backoffDelay } from '../../src/core/kube/backoff.ts'
import { requestJson } from '../../src/core/kube/json-request.ts'
import { pagedList, type ResourceSource } from '../../src/core/kube/paged-list.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import { plural } from '../../src/core/lib/text.ts'
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

/** Clusters have fewer namespaces at a time; those that were are forgotten. */
const MOST_REMEMBERED = 20_000

/** A request takes no longer, in milliseconds. */
const REQUEST_MS = 10_000

/**
 * Whose namespace it is that a pod was seen in. A pod says only its namespace's name, which may have gone and come
 * again as another's since.
 */
export class NamespaceUids {
  readonly #deps: NamespaceUidsDeps
  /** The latest uid that some pod was surely in, by the namespace's name. */
  readonly #proven = new Map<string, string>()
  #trouble: string | undefined

  constructor(deps: NamespaceUidsDeps) {
    this.#deps = deps
  }

  /**
   * What cannot be read at present, and how that failed; undefined where all can. It names no namespace: whoever reaches
   * the probes' port reads it, and those whom the namespace belongs to need not be among them.
   */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /**
   * The uids of all namespaces that are older than any list of pods that is still believed, so that every pod of such
   * a list belongs to them.
   */
  async settled(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { transport, clock } = this.#deps
    return this.#persist('the uids of all namespaces', signal, async (attempt) => {
      const uids = new Map<string, string>()
      const oldEnough = clock.now() - LIST_AGE_MS
      for await (const batch of pagedList(transport, NAMESPACES, { signal: attempt, clock })) {
        for (const { name, uid, created } of batch) if (created < oldEnough) uids.set(name, uid)
      }
      for (const [name, uid] of uids) this.#remember(name, uid)
      return uids
    })
  }

  /**
   * The uid of the namespace that this very pod is in; empty where that cannot be known, since the pod has gone and the
   * namespace is a new one, or has gone too. To be asked for pods in the order in which the watch told of them.
   *
   * A namespace can come again only after the last pod of its name has gone, and never with the same uid. So it is the
   * pod's where it is the same as before the pod came; and where the pod is still there after the namespace was read,
   * for it was there before. Pods that come while others of the namespace are known are in the same one, because the
   * watch tells ends in their order too: nobody need ask again before the last of them has gone.
   */
  of({ namespace, name, uid }: PodSlice, signal: AbortSignal): Promise<string> {
    const { transport } = this.#deps
    const folder = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
    return this.#persist('the uid of 1 namespace', signal, async (attempt) => {
      const found = await requestJson<NamespaceJson>(transport, {
        path: folder,
        purpose: { verb: 'get', resource: 'namespaces', name: namespace, namespaced: false },
        signal: attempt,
      }).catch((error: unknown) => {
        if (error instanceof DeckError && error.code === 'KUBE_NOT_FOUND') return undefined
        throw error
      })
      const current = found?.metadata?.uid
      if (current === undefined || current === this.#proven.get(namespace)) return current ?? ''
      const query = new URLSearchParams({ fieldSelector: `metadata.name=${name}`, limit: '1' })
      const pods = await requestJson<PodListJson>(transport, {
        path: `${folder}/pods?${query.toString()}`,
        purpose: { verb: 'list', resource: 'pods', namespace },
        signal: attempt,
      })
      if (pods.items?.[0]?.metadata?.uid !== uid) return ''
      this.#remember(namespace, current)
      return current
    })
  }

  #remember(namespace: string, uid: string): void {
    this.#proven.delete(namespace)
    this.#proven.set(namespace, uid)
    const [oldest] = this.#proven.keys()
    if (this.#proven.size > MOST_REMEMBERED && oldest !== undefined) this.#proven.delete(oldest)
  }

  /** Tries until it works or the signal aborts: without the uid nothing may be recorded. */
  async #persist<T>(
    what: string,
    signal: AbortSignal,
    ask: (attempt: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, log } = this.#deps
    for (let failures = 1; ; failures += 1) {
      try {
        const answer = await ask(AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]))
        this.#trouble = undefined
        return answer
      } catch (err) {
        signal.throwIfAborted()
        if (!(err instanceof Error)) throw err
        this.#trouble = `${what} (${plural(failures, 'attempt')} failed, ${err instanceof DeckError ? err.code : err.name}): see the log`
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
