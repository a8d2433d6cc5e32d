import type { Log } from '../../kit/log.ts'
import { HeardFacts } from '../heard-facts.ts'
import { JournalProgress } from '../journal/journal-progress.ts'
import { createJournalReader } from '../journal/journal-reader.ts'
import { sourceCalls } from '../readers/threaded-source.ts'
import type { RecorderFacts } from '../recorder-report.ts'
import { RecordingTerm } from '../recording-term.ts'
import {
  exporterOf,
  giveSignsOfLife,
  lazily,
  lowerPriority,
  openWhenPossible,
  recorderRules,
  type RecorderThread,
} from '../run-recorder.ts'
import { type AuditStore, StoreGone, StoreTaken } from '../store/audit-store.ts'
import { openAuditStore } from '../store/open-audit-store.ts'
import { PostgresInbox } from '../store/postgres-inbox.ts'
import type { ReviewInbox } from '../store/review-inbox.ts'
import { CALLS } from './cut-journal.ts'
import { InboxReviews } from './inbox-reviews.ts'
import { JournalFeeder } from './journal-feeder.ts'
import { journalOwner } from './journal-owner.ts'
import { LeadingPurges } from './leading-purges.ts'
import { type JournalCut, JournalPurges } from './journal-purges.ts'
import { leadPurge, type ReplicasPurge } from './lead-purge.ts'
import { ReplicaReporter } from './replica-reporter.ts'

const RETRY_MS = 2000

/**
 * One of several replicas over a database: hands its journal over, answers readers, and while it holds the Lease records
 * what all replicas have handed over; until the main thread says that it is to end.
 */
export async function runReplica(thread: RecorderThread): Promise<void> {
  const { start, clock, log, port } = thread
  const { folder, journalFolder, progress, writer, resources, config } = start
  lowerPriority(log)
  const ending = new AbortController()
  const lease = new Holding()
  const heard = new HeardFacts()
  let store: AuditStore | undefined
  const opened = (): AuditStore => {
    if (store) return store
    throw new StoreGone('the store is not open yet')
  }
  const reporter = new ReplicaReporter({ port, clock, resources, writer })
  const source = { ...lazily(opened), refresh: () => reporter.look() }
  const purges = Promise.withResolvers<JournalPurges>()
  const leading = new LeadingPurges(clock)
  const serving = port
    .serve({
      calls: {
        ...sourceCalls(source),
        [CALLS.purge]: (asked: ReplicasPurge, signal: AbortSignal) => leading.purge(asked, signal),
        [CALLS.toCut]: async (_: undefined, signal: AbortSignal) => (await purges.promise).toCut(signal),
        [CALLS.wasCut]: async (cut: JournalCut) => (await purges.promise).wasCut(cut),
      },
      told(now: RecorderFacts) {
        heard.hear(now)
        lease.is(now.holds)
      },
    })
    .then(() => ending.abort())
  const waiting = { clock, log, reporter }
  store = await openWhenPossible(
    () => openAuditStore({ folder, url: config.store }, { clock, log }),
    waiting,
    ending.signal,
  )
  const inbox =
    store &&
    (await openWhenPossible(
      () =>
        openInbox(
          config.store,
          { writer, owner: journalOwner(journalFolder, writer), now: clock.now() },
          log,
        ),
      waiting,
      ending.signal,
    ))
  if (!store || !inbox) {
    await store?.close()
    return serving
  }
  const shared = new JournalProgress(progress)
  const journal = createJournalReader({ folder: journalFolder, progress: shared, log })
  const rules = recorderRules(start)
  const keepMs = rules.limits.maxAgeMs
  const ridding = new JournalPurges({ book: inbox.purges, journal, writer, log })
  purges.resolve(ridding)
  const feeder = new JournalFeeder({
    journal,
    progress: shared,
    writer,
    inbox,
    purges: ridding,
    keepMs,
    clock,
    log,
  })
  reporter.uses(store, feeder)
  const exporter = exporterOf(config.auditExport, { store, clock, log })

  /** Records until the Lease is lost, or another has claimed the store. */
  const record = async (holding: AbortSignal): Promise<void> => {
    const term: RecordingTerm = new RecordingTerm({
      journal,
      progress: shared,
      reviews: new InboxReviews({ inbox, keepMs, clock, log }),
      store: opened(),
      transport: thread.transport,
      clock,
      log,
      resources,
      ...rules,
      writer,
      heard,
      exporter,
      tell: reporter.begin(() => term.recorder),
    })
    const { recorder } = term
    leading.begin({
      records: () => recorder.ready.ok,
      purge: (asked, signal) =>
        leadPurge(
          { store: opened(), inbox, recorder, clock, log },
          asked,
          AbortSignal.any([signal, holding]),
        ),
    })
    try {
      await term.run(holding)
    } finally {
      leading.end()
      reporter.end()
    }
  }

  const recording = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const holding = await lease.held(ending.signal)
      if (!holding) return
      try {
        await record(holding)
      } catch (error) {
        if (!(error instanceof StoreTaken || error instanceof StoreGone)) throw error
        log.warn({ err: error }, 'recording is interrupted; trying again while the Lease is held')
        await clock.sleep(RETRY_MS, ending.signal).catch(() => undefined)
      }
    }
  }

  const signsOfLife = giveSignsOfLife(reporter)
  const work = [feeder.run(ending.signal), reporter.run(ending.signal), recording()]
  try {
    await Promise.all(work)
  } finally {
    clearInterval(signsOfLife)
    ending.abort()
    await Promise.allSettled(work)
    await Promise.allSettled([inbox.close(), store.close()])
  }
  await serving
}

/** The inbox, with the journal's number claimed. */
async function openInbox(
  url: string,
  { writer, owner, now }: { readonly writer: number; readonly owner: string; readonly now: number },
  log: Log,
): Promise<ReviewInbox> {
  const inbox = await PostgresInbox.open(url, log)
  try {
    if (await inbox.claim(writer, owner, now)) return inbox
  } catch (error) {
    await inbox.close()
    throw error
  }
  await inbox.close()
  throw new Error(
    `the journal's number ${writer} is another's: this folder is a copy, or its .owner file was lost; begin a new one`,
  )
}

/** Whether the Lease is held, as the main thread tells it. */
class Holding {
  #term: AbortController | undefined
  #wake: (() => void)[] = []

  is(held: boolean): void {
    if (held) this.#term ??= new AbortController()
    else {
      this.#term?.abort()
      this.#term = undefined
    }
    for (const wake of this.#wake.splice(0)) wake()
  }

  /** Resolves while it is held, with what aborts when it is lost or the signal aborts; undefined after that. */
  async held(signal: AbortSignal): Promise<AbortSignal | undefined> {
    while (!signal.aborted) {
      if (this.#term) return AbortSignal.any([this.#term.signal, signal])
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    return undefined
  }
}
