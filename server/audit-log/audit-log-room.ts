import { DeckError } from '../../src/core/lib/errors.ts'
import { rfc3339Seconds } from '../../src/core/lib/time.ts'
import type { RecordingStatus } from '../../src/core/wire/companion-status.ts'
import type { ServedResource } from '../kit/api/resource.ts'
import type { Route } from '../kit/api/route.ts'
import type { Log } from '../kit/log.ts'
import type { ProbeAnswer, Room, StoreUsage } from '../kit/room.ts'
import type { AuditLogDeps } from './audit-log-deps.ts'
import { discoverRecorded } from './discover-resources.ts'
import { HourlyCounts } from './hourly-counts.ts'
import { installKeys } from './install-keys.ts'
import { isLost } from './lost-reviews.ts'
import { type AuditMetrics, createAuditMetrics } from './metrics.ts'
import { ChangeReader } from './readers/change-reader.ts'
import { ThreadedSource } from './readers/threaded-source.ts'
import { beginRecording, type Recording } from './recording.ts'
import type { ExportProgress } from './recorder-report.ts'
import { auditLogResources } from './resources.ts'
import { StoreGrowth } from './store-growth.ts'
import type { AdmissionOutcome } from './webhook/admission-route.ts'

const NAME = 'audit-log'
/** What stands in the way at the start is tried again after so many milliseconds. */
const RETRY_MS = 2000
/** A recorder that has told nothing for so long hangs. */
const SILENT_MS = 30_000
const GAPS_IN_STATUS = 10

/** The room of the audit log: who changed what, when, and whether it landed. */
export function createAuditLog(deps: AuditLogDeps): Room {
  return new AuditLogRoom(deps)
}

class AuditLogRoom implements Room {
  readonly name = NAME
  readonly resources: readonly ServedResource[]
  readonly routes: readonly Route[]
  readonly #deps: AuditLogDeps
  readonly #log: Log
  readonly #source = new ThreadedSource()
  readonly #metrics: AuditMetrics
  readonly #hour: HourlyCounts<'reviews' | 'dropped' | 'unattributed'>
  #recording: Recording | undefined
  #growth: StoreGrowth | undefined
  /** Why it does not record yet. */
  #waitingFor = 'not running'

  constructor(deps: AuditLogDeps) {
    const { reviewer, clock } = deps
    this.#deps = deps
    this.#log = deps.log.child({ room: NAME })
    this.#hour = new HourlyCounts(() => clock.now())
    this.#metrics = createAuditMetrics(deps.metrics, {
      recording: () => this.#recording?.thread.state?.since !== undefined,
      journalBytes: () => this.#recording?.journal.bytes ?? 0,
      entriesBehind: () => this.#behind(),
    })
    const shared = { source: this.#source, reviewer, clock }
    const readers = {
      changes: new ChangeReader({ ...shared, cluster: false }),
      clusterchanges: new ChangeReader({ ...shared, cluster: true }),
    }
    this.resources = auditLogResources((plural) => readers[plural])
    this.routes = [this.#route()]
  }

  async run(signal: AbortSignal): Promise<void> {
    const { leadership, config } = this.#deps
    this.#waitingFor = `waiting for the Lease deckwatch-${NAME}`
    try {
      // Of several replicas each keeps what it receives, and the one with the Lease records it.
      if (config.store !== '') await this.#lead(signal)
      else await leadership.lead((holding) => this.#lead(holding), signal)
    } finally {
      this.#waitingFor = 'not running'
    }
  }

  ready(): ProbeAnswer {
    const state = this.#recording?.thread.state
    return state ? state.ready : { ok: false, reason: this.#waitingFor }
  }

  alive(): ProbeAnswer {
    const thread = this.#recording?.thread
    if (!thread) return { ok: true, reason: this.#waitingFor }
    const silentMs = this.#deps.clock.now() - thread.toldAt
    if (silentMs < SILENT_MS) return { ok: true, reason: thread.state?.ready.reason ?? 'starting' }
    return { ok: false, reason: `the recorder has said nothing for ${Math.round(silentMs / 1000)} s` }
  }

  storeUsage(): StoreUsage {
    const store = this.#recording?.thread.state?.store
    const limitBytes = this.#deps.config.auditBytes
    const usedBytes = store?.usedBytes ?? 0
    return { usedBytes, limitBytes, oldest: store?.oldest, bytesPerDay: this.#growth?.perDay(usedBytes) }
  }

  recording(): RecordingStatus | undefined {
    const report = this.#recording?.thread.state
    const webhook = this.#recording?.registration.registered()
    if (!report || !webhook) return undefined
    return {
      ...(report.since === undefined ? {} : { since: rfc3339Seconds(report.since) }),
      webhook: { ok: webhook.ok, reason: webhook.reason, since: rfc3339Seconds(webhook.since) },
      journal: {
        usedBytes: this.#recording?.journal.bytes ?? 0,
        limitBytes: this.#deps.config.auditJournalBytes,
        entriesBehind: this.#behind(),
      },
      lastHour: this.#counts(),
      lastTenMinutes: this.#counts(10),
      ...(report.export ? { export: exportStatus(report.export) } : {}),
      gaps: report.gaps.slice(0, GAPS_IN_STATUS).map(({ from, to, reason }) => ({
        from: rfc3339Seconds(from),
        ...(to === undefined ? {} : { to: rfc3339Seconds(to) }),
        reason,
      })),
    }
  }

  #counts(minutes?: number): RecordingStatus['lastHour'] {
    return {
      reviews: this.#hour.of('reviews', minutes),
      dropped: this.#hour.of('dropped', minutes),
      unattributed: this.#hour.of('unattributed', minutes),
    }
  }

  async beforeEnd(signal: AbortSignal): Promise<void> {
    await this.#recording?.registration.beforeEnd(signal)
  }

  /** Records until the Lease is lost, and anew where the cluster has other resources that are to be recorded. */
  async #lead(holding: AbortSignal): Promise<void> {
    while (!holding.aborted) {
      try {
        await this.#record(holding)
      } catch (error) {
        if (holding.aborted) return
        // Whatever stands in the way at the start may pass: a lock that is still held, an API server that is away.
        if (!(error instanceof DeckError)) throw error
        this.#waitingFor = error.message
        this.#log.warn({ err: error }, 'cannot record: trying again')
        await this.#deps.clock.sleep(RETRY_MS, holding).catch(() => undefined)
      }
    }
  }

  async #record(signal: AbortSignal): Promise<void> {
    const { transport, namespace, config } = this.#deps
    this.#waitingFor = 'reading what is to be recorded'
    const keys = await installKeys({ transport, namespace }, signal)
    const resources = await discoverRecorded(transport, config, signal)
    this.#waitingFor = 'opening the store'
    const answered = (outcome: AdmissionOutcome, seconds: number): void => this.#answered(outcome, seconds)
    const recording = beginRecording(this.#deps, { keys, resources, answered }, signal)
    this.#metrics.begin()
    this.#recording = recording
    this.#source.use(recording.thread)
    this.#growth = undefined
    let unattributed = 0
    const stop = recording.thread.onState((report) => {
      this.#metrics.take(report)
      if (report.store) this.#growth ??= new StoreGrowth(report.store.usedBytes, () => this.#deps.clock.now())
      const now = report.totals.changes.unattributed ?? 0
      this.#hour.add('unattributed', now - unattributed)
      unattributed = now
    })
    try {
      await recording.ended
    } finally {
      stop()
      this.#recording = undefined
      this.#source.use(undefined)
      await recording.close()
    }
  }

  #answered(outcome: AdmissionOutcome, seconds: number): void {
    this.#metrics.answered(outcome, seconds)
    this.#hour.add('reviews')
    if (isLost(outcome)) this.#hour.add('dropped')
  }

  /** Reviews that were answered and are not in the store yet. */
  #behind(): number {
    const { journal, thread } = this.#recording ?? {}
    return Math.max(0, (journal?.synced ?? 0) - (thread?.state?.taken ?? 0))
  }

  /** The webhook's path is known only once the room leads. */
  #route(): Route {
    const current = (): Route | undefined => this.#recording?.webhook
    return {
      method: 'POST',
      get path() {
        return current()?.path ?? ''
      },
      handle: async (request, response, signal) => current()?.handle(request, response, signal),
    }
  }
}

function exportStatus({
  exported,
  refused,
  failing,
}: ExportProgress): NonNullable<RecordingStatus['export']> {
  return {
    exported,
    refused,
    ...(failing ? { failing: { since: rfc3339Seconds(failing.since), reason: failing.reason } } : {}),
  }
}
