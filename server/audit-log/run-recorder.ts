import { createHmac, createSecretKey } from 'node:crypto'
import { setPriority } from 'node:os'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import type { Clock } from '../../src/core/lib/time.ts'
import { createRedactor } from '../../src/core/model/redact-object.ts'
import type { Log } from '../kit/log.ts'
import { StoreFull } from '../kit/store/store.ts'
import type { ThreadPort } from '../kit/thread/serve-thread.ts'
import { VERSION } from '../kit/version.ts'
import type { AuditLogConfig } from './config.ts'
import type { RecorderStart } from './audit-log-deps.ts'
import { ChangeExporter, type ChangeExporterDeps } from './export/change-exporter.ts'
import { ExportCursor } from './export/export-cursor.ts'
import { HeardFacts } from './heard-facts.ts'
import { JournalProgress } from './journal/journal-progress.ts'
import { createJournalReader } from './journal/journal-reader.ts'
import { objectHash } from './object-hash.ts'
import { journalReviews, type PurgeCall } from './purge/own-journal.ts'
import { purgeHistory, type PurgeOutcome } from './purge/purge-history.ts'
import { RightOfWay } from './right-of-way.ts'
import { sourceCalls } from './readers/threaded-source.ts'
import { unrecordedNamespaces } from './recorded-resources.ts'
import type { RecorderFacts } from './recorder-report.ts'
import type { RecorderDeps } from './recorder/recorder.ts'
import { RecorderReporter } from './recorder-reporter.ts'
import { RecordingTerm } from './recording-term.ts'
import type { AuditStore } from './store/audit-store.ts'
import { StoreGone } from './store/audit-store.ts'
import { openAuditStore } from './store/open-audit-store.ts'

/** What the recorder's thread stands on. */
export interface RecorderThread {
  readonly start: RecorderStart
  /** Speaks as the companion. */
  readonly transport: KubeTransport
  readonly clock: Clock
  readonly log: Log
  readonly port: ThreadPort
}

/** Requests are answered first; with less the recorder would stand still beside other programs on a full machine. */
const NICE = 10
/** Between two reviews so long is waited for requests, as long as reading is not behind by more. */
const GIVE_WAY_MS = 5
const GIVE_WAY_UNTIL_BEHIND_MS = 2000
const OPEN_RETRY_MS = 2000
const SIGN_OF_LIFE_MS = 5000
/** With no journal but our own, a write's review is in it before the watch tells of the write, or was given up for slow. */
const OWN_JOURNAL_SETTLE_MS = 1000

/** Records, and answers readers of other threads, until the main thread says that it is to end. */
export async function runRecorder({ start, transport, clock, log, port }: RecorderThread): Promise<void> {
  const { folder, journalFolder, progress, writer, resources, config } = start
  lowerPriority(log)
  const ending = new AbortController()
  const heard = new HeardFacts()
  let store: AuditStore | undefined
  const opened = (): AuditStore => {
    if (store) return store
    throw new StoreGone('the store is not open yet')
  }
  let purging: ((call: PurgeCall, signal: AbortSignal) => Promise<PurgeOutcome>) | undefined
  const purge = (call: PurgeCall, signal: AbortSignal): Promise<PurgeOutcome> => {
    if (purging) return purging(call, signal)
    throw new StoreGone('the store is not open yet')
  }
  const serving = port
    .serve({
      calls: { ...sourceCalls(lazily(opened)), purge },
      told: (now: RecorderFacts) => heard.hear(now),
    })
    .then(() => ending.abort())
  const reporter = new RecorderReporter({ port, clock, resources, writer })
  store = await openWhenPossible(
    () => openAuditStore({ folder, url: config.store }, { clock, log }),
    { clock, log, reporter },
    ending.signal,
  )
  if (!store) return serving
  const shared = new JournalProgress(progress)
  const requests = new RightOfWay(start.requests)
  const journal = createJournalReader({ folder: journalFolder, progress: shared, log })
  const term = new RecordingTerm({
    journal,
    progress: shared,
    store,
    transport,
    clock,
    log,
    resources,
    ...recorderRules(start),
    join: { settleMs: OWN_JOURNAL_SETTLE_MS },
    giveWay(behindMs) {
      if (behindMs < GIVE_WAY_UNTIL_BEHIND_MS) requests.giveWay(GIVE_WAY_MS)
    },
    writer,
    heard,
    exporter: exporterOf(config.auditExport, { store, clock, log }),
    tell: (...given) => reporter.tell(...given),
  })
  const { recorder } = term
  const history = { store, recorder, clock }
  const own = { store, journal, writer }
  purging = ({ filter, sealed }, signal) =>
    purgeHistory(history, filter, journalReviews(own, sealed), AbortSignal.any([signal, ending.signal]))
  const signsOfLife = giveSignsOfLife(reporter)
  try {
    await term.run(ending.signal)
  } finally {
    clearInterval(signsOfLife)
    ending.abort()
    await store.close()
  }
  await serving
}

/** Tells the main thread from time to time that this one lives, whatever it waits for; to be cleared. */
export function giveSignsOfLife(reporter: Pick<RecorderReporter, 'again'>): NodeJS.Timeout {
  return setInterval(() => reporter.again(), SIGN_OF_LIFE_MS)
}

/** What a recorder is told of the installation: how objects are read, which rules hold, and how much is kept. */
export function recorderRules({
  hmacKey,
  config,
  namespace,
}: Pick<RecorderStart, 'hmacKey' | 'config' | 'namespace'>): Pick<
  RecorderDeps,
  'reading' | 'rules' | 'limits'
> {
  const key = createSecretKey(hmacKey)
  return {
    reading: {
      redact: createRedactor({
        hmac: (text) => createHmac('sha256', key).update(text).digest('hex'),
        paths: config.auditRedact,
      }),
      hash: (object) => objectHash(object, key),
    },
    rules: { config, namespaces: unrecordedNamespaces([namespace]) },
    limits: {
      maxAgeMs: config.auditHistoryMs,
      secretsMaxAgeMs: config.auditSecretsMs,
      perObject: config.auditPerObject,
      keepLast: config.auditKeepLast,
      maxBytes: config.auditBytes,
    },
  }
}

/** Who tells a collector; undefined where there is none. */
export function exporterOf(
  target: AuditLogConfig['auditExport'],
  deps: Pick<ChangeExporterDeps, 'clock' | 'log'> & { readonly store: AuditStore },
): ChangeExporter | undefined {
  if (!target) return undefined
  const cursor = new ExportCursor(deps.store, target.url)
  return new ChangeExporter({ ...deps, target, cursor, fetch, version: VERSION })
}

/** Lets the main thread go first. */
export function lowerPriority(log: Log): void {
  try {
    // On Linux this is the thread's alone.
    if (process.platform === 'linux') setPriority(NICE)
  } catch (error) {
    log.debug({ err: error }, 'the priority of the recorder could not be lowered')
  }
}

/** The process that recorded before may be on its way out, the disk may be full, and a database may be away. */
export async function openWhenPossible<T>(
  open: () => Promise<T>,
  {
    clock,
    log,
    reporter,
  }: { readonly clock: Clock; readonly log: Log; readonly reporter: Pick<RecorderReporter, 'waiting'> },
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await open()
    } catch (error) {
      const isLocked = error instanceof DeckError && error.code === 'STORE_LOCKED'
      const mayPass = [error, error instanceof Error && error.cause].some(
        (each) => each instanceof StoreFull || each instanceof StoreGone,
      )
      if (!(error instanceof Error && (isLocked || mayPass))) throw error
      log.warn({ err: error }, 'the store cannot be used yet')
      reporter.waiting(error.message)
      await clock.sleep(OPEN_RETRY_MS, signal).catch(() => undefined)
    }
  }
  return undefined
}

/** A store to read that may not be open yet. */
export function lazily(store: () => AuditStore): Parameters<typeof sourceCalls>[0] {
  return {
    page: (...given) => store().page(...given),
    get: (...given) => store().get(...given),
    after: (...given) => store().after(...given),
    touched: (...given) => store().touched(...given),
    count: (...given) => store().count(...given),
    gaps: (...given) => store().gaps(...given),
  }
}
