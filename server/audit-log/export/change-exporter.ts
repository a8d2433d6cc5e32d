import { backoffDelay } from '../../../src/core/kube/backoff.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import type { ExportTarget } from '../config.ts'
import type { ExportProgress } from '../recorder-report.ts'
import { LANDED } from '../readers/selectable.ts'
import { servedChange, type ServedChange } from '../readers/served-change.ts'
import { type AuditStore, type NumberedChange, StoreTaken } from '../store/audit-store.ts'
import type { ExportCursor } from './export-cursor.ts'
import { otlpLogs } from './otlp-logs.ts'

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

const BATCH = 100
/** Collectors limit the bodies that they take, and so does the memory here; a change that is larger goes alone. */
const BODY_BYTES = 2 ** 20
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
  #refused = 0
  #failing: ExportProgress['failing']
  #upTo = 0

  constructor(deps: ChangeExporterDeps) {
    this.#deps = deps
  }

  /** The last number that the collector has confirmed; 0 before it is known where to begin. */
  get upTo(): number {
    return this.#upTo
  }

  get progress(): ExportProgress {
    return {
      exported: this.#exported,
      failures: this.#failures,
      refused: this.#refused,
      failing: this.#failing,
    }
  }

  /** Exports until the signal aborts, or another process has become the one who writes. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, cursor, clock, log } = this.#deps
    let failed = 0
    let after: number | undefined
    while (!signal.aborted) {
      try {
        after = await this.#place(after)
        const changes = await store.after(after, BATCH)
        if (changes.length === 0) {
          this.#failing = undefined
          failed = 0
          await clock.sleep(POLL_MS, signal).catch(() => undefined)
        }
        for (const part of inParts(changes)) {
          await this.#send(part.landed, signal)
          // What was taken is not sent again where only the store has no space.
          after = part.upTo
          this.#upTo = after
          await cursor.write(after)
          failed = 0
          this.#failing = undefined
        }
      } catch (error) {
        // Whoever writes now exports too.
        if (signal.aborted || error instanceof StoreTaken) return
        failed += 1
        this.#failures += 1
        this.#failing = { since: this.#failing?.since ?? clock.now(), reason: reasonOf(error) }
        const waitMs = backoffDelay(failed, (this.#deps.random ?? Math.random)(), 0, RETRY)
        log.warn({ err: error, waitMs }, 'changes could not be exported; trying again, nothing is lost')
        await clock.sleep(waitMs, signal).catch(() => undefined)
      }
    }
  }

  /** Where it goes on: what retention has deleted meanwhile cannot be told any more, which is said. */
  async #place(reached: number | undefined): Promise<number> {
    const { store, cursor, log } = this.#deps
    const { number, trimmed } = await store.state()
    const kept = reached ?? (await cursor.read())
    if (kept === undefined) await cursor.write(number)
    else if (kept < trimmed) {
      log.error(
        { after: kept, upTo: trimmed },
        'changes were deleted by age or size before they could be exported',
      )
    }
    this.#upTo = Math.max(kept ?? number, trimmed)
    return this.#upTo
  }

  async #send(changes: readonly ServedChange[], signal: AbortSignal): Promise<void> {
    const [first] = changes
    if (!first) return
    const { target, log } = this.#deps
    const response = await this.#deps.fetch(target.url, {
      method: 'POST',
      headers: { ...target.headers, 'content-type': CONTENT_TYPES[target.format] },
      body: this.#body(changes),
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
      this.#refused += 1
      log.error(
        { status: response.status, change: first.metadata.name },
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

/** What fetch says is in its cause; where several addresses were tried, only that has a code. */
function reasonOf(error: unknown): string {
  const told = error instanceof Error && error.cause !== undefined ? error.cause : error
  const { message = '', code = '' } = told as { readonly message?: string; readonly code?: string }
  return message || code || 'it cannot be reached'
}

/** Changes of one request: those of them that landed, and the number of the last of all. */
interface ExportPart {
  readonly landed: readonly ServedChange[]
  readonly upTo: number
}

function* inParts(changes: readonly NumberedChange[]): Generator<ExportPart> {
  let landed: ServedChange[] = []
  let bytes = 0
  let upTo: number | undefined
  for (const change of changes) {
    if (LANDED.includes(change.state)) {
      const served = servedChange(change, true)
      const length = JSON.stringify(served).length
      if (upTo !== undefined && bytes > 0 && bytes + length > BODY_BYTES) {
        yield { landed, upTo }
        landed = []
        bytes = 0
      }
      landed.push(served)
      bytes += length
    }
    upTo = change.number
  }
  if (upTo !== undefined) yield { landed, upTo }
}
