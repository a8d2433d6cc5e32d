import { isDeepStrictEqual } from 'node:util'
import type { TLSSocket } from 'node:tls'
import { listWatch } from '../../../src/core/kube/list-watch.ts'
import type { ResourceSource } from '../../../src/core/kube/paged-list.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import type { ProbeAnswer } from '../room.ts'
import { frontProxyCheck, frontProxyTrust, type FrontProxyTrust } from './front-proxy.ts'

const NAMESPACE = 'kube-system'
const NAME = 'extension-apiserver-authentication'
const RETRY_MS = 5000

/** Whom to believe when they say who calls, kept up to date. */
export interface FrontProxy {
  /** Follows the ConfigMap until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  /** Undefined until the ConfigMap was read. */
  readonly trust: FrontProxyTrust | undefined
  /** Whether the connection's client is one that may vouch for callers, by what is trusted now. */
  vouches(socket: TLSSocket): boolean
  /** Called after each change of `trust`. */
  onChange(listener: () => void): void
  ready(): ProbeAnswer
}

/** What a `FrontProxy` stands on. */
export interface FrontProxyOptions {
  readonly transport: KubeTransport
  readonly clock: Clock
  readonly log: Log
}

interface ConfigMapSlice extends Watched {
  readonly data: Readonly<Record<string, string>>
}

interface Verdict {
  readonly trust: FrontProxyTrust
  readonly vouches: boolean
  /** Until when it holds, in epoch milliseconds: the certificate's end. */
  readonly until: number
}

const SOURCE: ResourceSource<ConfigMapSlice> = {
  path: `/api/v1/namespaces/${NAMESPACE}/configmaps`,
  fieldSelector: `metadata.name=${NAME}`,
  purpose: { resource: 'configmaps', namespace: NAMESPACE },
  decoder: {
    fromJson: (value) => {
      const { metadata, data } = (value ?? {}) as {
        readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string }
        readonly data?: Readonly<Record<string, string>>
      }
      return {
        uid: metadata?.uid ?? '',
        resourceVersion: metadata?.resourceVersion ?? '',
        data: data ?? {},
      }
    },
    keyOf: () => NAME,
  },
}

/** Follows kube-system/extension-apiserver-authentication, since its authorities rotate. */
export function createFrontProxy(options: FrontProxyOptions): FrontProxy {
  return new WatchedFrontProxy(options)
}

class WatchedFrontProxy implements FrontProxy {
  readonly #options: FrontProxyOptions
  readonly #listeners: (() => void)[] = []
  readonly #verdicts = new WeakMap<TLSSocket, Verdict>()
  #trust: FrontProxyTrust | undefined
  #check: ReturnType<typeof frontProxyCheck> = () => false
  #reason = `ConfigMap ${NAMESPACE}/${NAME} is not read yet`

  constructor(options: FrontProxyOptions) {
    this.#options = options
  }

  get trust(): FrontProxyTrust | undefined {
    return this.#trust
  }

  vouches(socket: TLSSocket): boolean {
    const trust = this.#trust
    if (!trust) return false
    const now = this.#options.clock.now()
    const known = this.#verdicts.get(socket)
    if (known?.trust === trust && now <= known.until) return known.vouches
    const certificate = socket.getPeerX509Certificate()
    const vouches = this.#check(certificate, now)
    const until = vouches ? (certificate?.validToDate.getTime() ?? 0) : Number.POSITIVE_INFINITY
    this.#verdicts.set(socket, { trust, vouches, until })
    return vouches
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  ready(): ProbeAnswer {
    const ok = this.#trust !== undefined && this.#trust.authorities.length > 0
    return { ok, reason: this.#reason }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { transport, clock, log } = this.#options
    while (!signal.aborted) {
      try {
        for await (const event of listWatch({ transport, source: SOURCE, clock, signal })) {
          switch (event.type) {
            case 'added':
            case 'modified':
              this.#learn(event.object.data)
              break
            case 'deleted':
              this.#learn({})
              break
            case 'synced':
              if (event.count === 0) this.#learn({})
              break
            case 'interrupted':
            case 'failing':
              log.warn({ reason: event.reason }, `the watch of ConfigMap ${NAMESPACE}/${NAME} is interrupted`)
              break
            case 'resumed':
              break
            default:
              event satisfies never
          }
        }
      } catch (error) {
        // Rights may be granted a moment after the pod starts; who is trusted already stays so meanwhile.
        if (!this.#trust) this.#reason = error instanceof Error ? error.message : String(error)
        log.error({ err: error }, `cannot follow ConfigMap ${NAMESPACE}/${NAME}`)
        await clock.sleep(RETRY_MS, signal).catch(() => undefined)
      }
    }
  }

  #learn(data: Readonly<Record<string, string>>): void {
    const { log } = this.#options
    try {
      const trust = frontProxyTrust(data)
      if (isDeepStrictEqual(trust, this.#trust)) return
      this.#check = frontProxyCheck(trust)
      this.#trust = trust
      this.#reason =
        trust.authorities.length > 0
          ? 'the API server’s front proxy is known'
          : `ConfigMap ${NAMESPACE}/${NAME} names no authority (requestheader-client-ca-file): is the aggregation layer configured?`
      log.info({ allowedNames: trust.allowedNames, authorities: trust.authorities.length }, this.#reason)
    } catch (error) {
      this.#check = () => false
      this.#trust = frontProxyTrust({})
      this.#reason = `ConfigMap ${NAMESPACE}/${NAME} makes no sense`
      log.error({ err: error }, this.#reason)
    }
    for (const listener of this.#listeners) listener()
  }
}
