import { backoffDelay } from '../../../src/core/kube/backoff.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import { LANDED } from '../readers/selectable.ts'
import { servedChange, type ServedChange } from '../readers/served-change.ts'
import type { AuditStore, NumberedChange } from '../store/audit-store.ts'
import type { ExportCursor } from './export-cursor.ts'
import { otlpLogs } from './otlp-logs.ts'

/** Where changes are exported to. */
export interface ExportTarget {
  /** `https://collector:4318/v1/logs`. */
  readonly url: string
  /** OTLP/HTTP with JSON, or the changes as JSON, one a line (application/x-ndjson). */
  readonly format: 'otlp' | 'jsonl'
  /** Such as `authorization`; never shown. */
  readonly headers: Readonly<Record<string, string>>
}

/** What exporting stands on. */
export interface ChangeExporterDeps {
  readonly target: ExportTarget
  readonly store: Pick<AuditStore, 'state' | 'after'>
  readonly cursor: ExportCursor
  /** Sends the body; rejects where nobody answers. */
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly random?: () => number
}

/** How the export gets on. */
export interface ExportCounts {
  readonly exported: number
  readonly failures: number
  /** The last number that the collector has confirmed. */
  readonly upTo: number
}

const BATCH = 200
const POLL_MS = 1000
const ANSWER_MS = 30_000
const RETRY = { firstMs: 1000, maxMs: 60_000 }

/** What a collector refuses for good: sent again it would be refused again, and hold up all that follows. */
const REFUSED_FOR_GOOD: ReadonlySet<number> = new Set([400, 413, 422])

/**
 * Tells a collector of every change that landed, in the order of their numbers and at least once: what it has not
 * confirmed is sent again, over restarts too. It begins with what is new when it is first switched on.
 */
export class ChangeExporter {
  readonly #deps: ChangeExporterDeps
  #exported = 0
  #failures = 0
  #upTo = 0

  constructor(deps: ChangeExporterDeps) {
    this.#deps = deps
  }

  get counts(): ExportCounts {
    return { exported: this.#exported, failures: this.#failures, upTo: this.#upTo }
  }

  /** Exports until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, cursor, target, clock, log } = this.#deps
    let failed = 0
    let after: number | undefined
    while (!signal.aborted) {
      try {
        after = await this.#place(after)
        const changes = await store.after(after, BATCH)
        const last = changes.at(-1)
        if (!last) {
          await clock.sleep(POLL_MS, signal).catch(() => undefined)
          continue
        }
        await this.#send(changes.filter(hasLanded), signal)
        after = last.number
        cursor.write(target.url, after)
        this.#upTo = after
        failed = 0
      } catch (error) {
        if (signal.aborted) return
        failed += 1
        this.#failures += 1
        const waitMs = backoffDelay(failed, (this.#deps.random ?? Math.random)(), 0, RETRY)
        log.warn({ err: error, waitMs }, 'changes could not be exported; trying again, nothing is lost')
        await clock.sleep(waitMs, signal).catch(() => undefined)
      }
    }
  }

  /** Where it goes on: what retention has deleted meanwhile cannot be told any more, which is said. */
  async #place(reached: number | undefined): Promise<number> {
    const { store, cursor, target, log } = this.#deps
    const { number, trimmed } = await store.state()
    const kept = reached ?? cursor.read(target.url)
    if (kept === undefined) cursor.write(target.url, number)
    else if (kept < trimmed) {
      log.error(
        { after: kept, upTo: trimmed },
        'changes were deleted by age or size before they could be exported',
      )
    }
    this.#upTo = Math.max(kept ?? number, trimmed)
    return this.#upTo
  }

  async #send(changes: readonly NumberedChange[], signal: AbortSignal): Promise<void> {
    const [first] = changes
    if (!first) return
    const { target, log } = this.#deps
    const response = await this.#deps.fetch(target.url, {
      method: 'POST',
      headers: { ...target.headers, 'content-type': CONTENT_TYPES[target.format] },
      body: this.#body(changes.map((change) => servedChange(change, true))),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    })
    // Read to its end, so that the connection can be used again.
    await response.arrayBuffer()
    if (response.ok) {
      this.#exported += changes.length
      return
    }
    if (!REFUSED_FOR_GOOD.has(response.status)) {
      throw new Error(`the collector answered ${response.status}`)
    }
    if (changes.length === 1) {
      log.error(
        { status: response.status, change: first.id },
        'the collector refuses a change: it is left out',
      )
      return
    }
    // One of them is not to its taste: the others shall not wait for it.
    for (const change of changes) await this.#send([change], signal)
  }

  #body(changes: readonly ServedChange[]): string {
    const { target, clock, version } = this.#deps
    if (target.format === 'otlp') return JSON.stringify(otlpLogs(changes, clock.now(), version))
    return changes.map((change) => `${JSON.stringify(change)}\n`).join('')
  }
}

const CONTENT_TYPES = { otlp: 'application/json', jsonl: 'application/x-ndjson' } as const

function hasLanded({ state }: NumberedChange): boolean {
  return LANDED.includes(state)
}
