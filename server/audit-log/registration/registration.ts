import { listWatch } from '../../../src/core/kube/list-watch.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import { atNamespaceEnd, type LastAct, onNamespaceEnd } from '../../kit/tls/namespace-end.ts'
import { repeatStep } from '../../kit/tls/repeat-step.ts'
import { Wakeup } from '../../kit/tls/wakeup.ts'
import {
  leadsElsewhere,
  readWebhooks,
  saysJust,
  updateWebhooks,
  WEBHOOK_CONFIGURATIONS,
  WEBHOOK_RESOURCE,
  type WebhookConfiguration,
  webhookConfigurationFromJson,
  writeWebhooks,
} from './webhook-configuration.ts'
import { type ValidatingWebhook, type WebhookOptions, webhooksOf } from './webhooks-of.ts'

/** Who signed the certificate that the API server meets at the webhook. */
export interface BundleSource {
  /** PEM; empty before it is known. */
  bundle(): string
  /** Called after each change; returns how to stop listening. */
  onChange(listener: () => void): () => void
  /** Looks at once whether there is a newer one. */
  refresh(signal: AbortSignal): Promise<void>
}

/** What registering stands on. */
export interface RegistrationOptions {
  readonly transport: KubeTransport
  /** Of the ValidatingWebhookConfiguration: `deckwatch-audit-log`. */
  readonly name: string
  /** The companion's own; with its end the webhooks go. */
  readonly namespace: string
  /** Asked anew whenever the configuration is looked at. */
  readonly webhooks: () => Omit<WebhookOptions, 'bundle'>
  readonly authority: BundleSource
  /** Whether reviews can be recorded: before, the API server is told nothing. */
  readonly ready: () => boolean
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

/** Whether the API server is told to send what is to be recorded. */
export interface RegistrationState {
  readonly ok: boolean
  /** One clause. */
  readonly reason: string
  /** Epoch milliseconds: since when it has been so, at the earliest; what is not ok is a gap from then on. */
  readonly since: number
}

/** The webhook's entry in the API server. */
export interface Registration {
  /** Writes it and keeps it true until the signal aborts; then it stays as it is, for the next start. */
  run(signal: AbortSignal): Promise<void>
  registered(): RegistrationState
  /** Called with each new state, in order, also those that were over when they were noticed; returns how to stop. */
  onChange(listener: (state: RegistrationState) => void): () => void
  /** Looks again soon: `ready` or `webhooks` answer otherwise now. */
  look(): void
  /** Before the process ends: takes the webhooks away where the namespace is being deleted. */
  beforeEnd(signal: AbortSignal): Promise<void>
}

/** Whoever else writes there is corrected no more often than this. */
const PAUSE_MS = 2000
const OTHERWISE =
  'the API server keeps something else than what was written: matchConditions need Kubernetes 1.28'
const LOOK_AGAIN_MS = 60_000

/** The registration of the audit log's webhooks. */
export function createRegistration(options: RegistrationOptions): Registration {
  return new WebhookRegistration(options)
}

class WebhookRegistration implements Registration {
  readonly #options: RegistrationOptions
  readonly #random: () => number
  readonly #wakeup = new Wakeup()
  readonly #listeners = new Set<(state: RegistrationState) => void>()
  #state: RegistrationState
  /** Undefined where there is none. */
  #found: WebhookConfiguration | undefined
  #looked = false
  /** The last that was right: what we want may change before it is written, and is no gap. */
  #right: WebhookConfiguration | undefined
  /** Why the last write failed. */
  #problem: string | undefined
  #writing = false
  #ended = false
  /** While the watch is interrupted, nothing is known from then on. */
  #knownUntil: number | undefined

  constructor(options: RegistrationOptions) {
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#state = { ok: false, reason: 'not looked at yet', since: options.clock.now() }
  }

  registered(): RegistrationState {
    return this.#state
  }

  onChange(listener: (state: RegistrationState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  look(): void {
    this.#wakeup.ring()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { authority, clock, log } = this.#options
    const shared = { clock, log, random: this.#random, periodMs: LOOK_AGAIN_MS }
    const stop = authority.onChange(() => this.look())
    try {
      await Promise.all([
        repeatStep(
          { ...shared, what: 'follow the webhook configuration', step: () => this.#follow(signal) },
          signal,
        ),
        repeatStep(
          {
            ...shared,
            what: 'write the webhook configuration',
            wakeup: this.#wakeup,
            isDue: () => this.#isDue(),
            step: () => this.#write(signal),
          },
          signal,
        ),
        onNamespaceEnd(this.#options, this.#withdrawal(), signal),
      ])
    } finally {
      stop()
    }
  }

  beforeEnd(signal: AbortSignal): Promise<void> {
    return atNamespaceEnd(this.#options, this.#withdrawal(), signal)
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { transport, name, clock } = this.#options
    const events = listWatch<WebhookConfiguration>({
      transport,
      source: {
        path: WEBHOOK_CONFIGURATIONS,
        purpose: { resource: WEBHOOK_RESOURCE, name, namespaced: false },
        // A right with resourceNames allows a list of that name alone.
        fieldSelector: `metadata.name=${name}`,
        decoder: { fromJson: webhookConfigurationFromJson, keyOf: () => name },
      },
      clock,
      random: this.#random,
      signal,
    })
    for await (const event of events) {
      switch (event.type) {
        case 'added':
        case 'modified':
          this.#see(event.object)
          break
        case 'deleted':
          this.#see(undefined)
          break
        case 'synced':
          if (event.count === 0) this.#see(undefined)
          break
        case 'interrupted':
          this.#knownUntil = event.at
          break
        case 'resumed':
          this.#knownUntil = undefined
          break
        case 'failing':
          break
        default:
          event satisfies never
      }
    }
  }

  #see(found: WebhookConfiguration | undefined): void {
    const { clock } = this.#options
    const from = this.#knownUntil ?? clock.now()
    this.#found = found
    this.#looked = true
    if (this.#state.ok && found && !this.#writing && this.#wasOtherwise(found)) {
      this.#become({ ok: false, reason: 'it was changed by somebody else, and changed back', since: from })
    }
    this.#judge(from)
    this.look()
  }

  /** Right now, but others wrote in between: the generation counts what we have not seen. */
  #wasOtherwise(found: WebhookConfiguration): boolean {
    const right = this.#right
    if (!right || !saysJust(found, right.webhooks)) return false
    return found.uid !== right.uid || found.generation !== right.generation
  }

  #wanted(): readonly ValidatingWebhook[] | undefined {
    const { authority, webhooks } = this.#options
    const bundle = authority.bundle()
    return bundle === '' ? undefined : webhooksOf({ ...webhooks(), bundle })
  }

  #isDue(): boolean {
    if (this.#ended || !this.#found || !this.#options.ready()) return false
    const wanted = this.#wanted()
    return wanted !== undefined && !saysJust(this.#found, wanted)
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { transport, authority, log, name, clock } = this.#options
    if (!this.#isDue()) {
      this.#judge(clock.now())
      return
    }
    this.#writing = true
    try {
      // Another replica may know a newer authority and have written it: ours must not take it back.
      await authority.refresh(signal)
      const [found, wanted] = [this.#found, this.#wanted()]
      if (!found || !wanted || !this.#isDue()) return
      this.#found = await writeWebhooks({ transport, name }, found, wanted, signal)
      if (!saysJust(this.#found, wanted)) throw new Error(OTHERWISE)
      this.#problem = undefined
      log.info(
        { webhook: name, webhooks: wanted.length },
        'the API server is told to send reviews of changes',
      )
    } catch (error) {
      if (!signal.aborted) this.#problem = error instanceof Error ? error.message : String(error)
      throw error
    } finally {
      this.#writing = false
      this.#judge(clock.now())
    }
    await new Wakeup().wait(clock, PAUSE_MS, signal)
  }

  #withdrawal(): LastAct {
    const { transport, name, namespace, log, clock } = this.#options
    return {
      what: 'empty the webhook configuration',
      act: async (signal) => {
        this.#ended = true
        const found = await readWebhooks({ transport, name }, signal)
        // Another installation, elsewhere, may have taken it over.
        if (!found || found.webhooks.length === 0 || leadsElsewhere(found, namespace)) return
        this.#found = await updateWebhooks({ transport, name }, found, [], signal)
        this.#judge(clock.now())
        log.warn({ webhook: name }, 'the namespace ends: the API server sends no more reviews')
      },
    }
  }

  #judge(from: number): void {
    const { ok, reason } = this.#answer()
    if (ok) this.#right = this.#found
    if (ok === this.#state.ok && reason === this.#state.reason) return
    this.#become({ ok, reason, since: ok === this.#state.ok ? this.#state.since : from })
  }

  #answer(): Omit<RegistrationState, 'since'> {
    const { name, ready } = this.#options
    if (!this.#looked) return { ok: false, reason: 'not looked at yet' }
    if (this.#ended) return { ok: false, reason: 'the namespace of the companion is being deleted' }
    const found = this.#found
    if (!found) return { ok: false, reason: `ValidatingWebhookConfiguration ${name} is not there` }
    const wanted = this.#wanted()
    const isRight = wanted !== undefined && saysJust(found, wanted)
    if (isRight || (this.#right && saysJust(found, this.#right.webhooks))) {
      return { ok: true, reason: 'the API server sends reviews of changes' }
    }
    if (this.#problem !== undefined) return { ok: false, reason: this.#problem }
    if (found.webhooks.length > 0) return { ok: false, reason: 'it says something else than it should' }
    return { ok: false, reason: ready() ? 'it is about to be written' : 'reviews cannot be recorded yet' }
  }

  #become(state: RegistrationState): void {
    this.#state = state
    for (const listener of this.#listeners) listener(state)
  }
}
