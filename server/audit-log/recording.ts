import { createHmac, createSecretKey, randomInt } from 'node:crypto'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { createRedactor } from '../../src/core/model/redact-object.ts'
import type { PurgeRequest } from '../../src/core/wire/purge.ts'
import { aborted } from '../kit/aborted.ts'
import type { Route } from '../kit/api/route.ts'
import type { Thread } from '../kit/thread/thread-host.ts'
import type { AuditLogDeps } from './audit-log-deps.ts'
import type { RecordedResource } from './config.ts'
import { discoverRecorded } from './discover-resources.ts'
import type { InstallKeys } from './install-keys.ts'
import { openJournalWriter, type SharedJournalWriter } from './journal/journal-writer.ts'
import { isLost } from './lost-reviews.ts'
import { answerPurges } from './purge/answer-purges.ts'
import type { PurgeCall } from './purge/own-journal.ts'
import type { PurgeOutcome } from './purge/purge-history.ts'
import type { RecorderFacts, RecorderReport } from './recorder-report.ts'
import { createRegistration, type Registration } from './registration/registration.ts'
import { CALLS, cutJournal } from './replica/cut-journal.ts'
import type { ReplicasPurge } from './replica/lead-purge.ts'
import { RightOfWay } from './right-of-way.ts'
import { type AdmissionOutcome, createAdmissionRoute } from './webhook/admission-route.ts'

/** One time of recording, from the start of the recorder's thread to its end. */
export interface Recording {
  readonly thread: Thread<RecorderReport>
  readonly journal: SharedJournalWriter
  readonly registration: Registration
  readonly webhook: Route
  /** Resolves when there are other resources to record by now; rejects with what ended it, or the signal's reason. */
  readonly ended: Promise<void>
  /** Ends what is left; to be called in any case. */
  close(): Promise<void>
}

/** What a recording begins with. */
export interface RecordingStart {
  readonly keys: InstallKeys
  readonly resources: readonly RecordedResource[]
  readonly answered: (outcome: AdmissionOutcome, seconds: number) => void
}

const JOURNAL = 'audit-journal'
/** So often it is looked whether the cluster serves other resources that are to be recorded. */
const DISCOVER_MS = 60_000
const MAX_WRITER = 2 ** 31
/** The young generation of the recorder's heap: it parses a lot, and the pod is small. */
const YOUNG_MB = 16

/** Begins to record: journal, webhook, the recorder's thread, and then the webhook's registration. */
export function beginRecording(
  deps: AuditLogDeps,
  { keys, resources, answered }: RecordingStart,
  signal: AbortSignal,
): Recording {
  const { transport, namespace, folder, config, clock, log, leadership } = deps
  const isShared = config.store !== ''
  let holds = !isShared
  const ending = new AbortController()
  const either = AbortSignal.any([signal, ending.signal])
  const journal = openJournalWriter({
    folder: join(folder, JOURNAL),
    limitBytes: config.auditJournalBytes,
    newWriter: () => randomInt(1, MAX_WRITER),
    clock,
    log,
  })
  const requests = new RightOfWay()
  const thread = deps.startRecorder(
    {
      folder,
      journalFolder: join(folder, JOURNAL),
      progress: journal.progress.memory,
      requests: requests.memory,
      writer: journal.writer,
      hmacKey: keys.hmacKey,
      namespace,
      resources,
      config,
      youngGenerationMb: YOUNG_MB,
    },
    either,
  )
  const registration = createRegistration({
    transport,
    name: config.auditWebhook,
    namespace,
    webhooks: () => ({
      config,
      resources,
      service: { namespace, ...deps.service },
      path: keys.path,
      ownNamespaces: [namespace],
      ownUsers: deps.ownUsers,
    }),
    authority: deps.authority,
    // Of several replicas, one writes.
    ready: () => (isShared ? holds && thread.state?.joins === true : thread.state?.ready.ok === true),
    clock,
    log,
  })
  const witness = new Witness(
    registration,
    (now) => thread.tell({ holds, witness: now }),
    () => clock.now(),
  )
  const stops = [registration.onChange(() => witness.tell()), onceReady(thread, () => registration.look())]
  const purge = async (
    { id, target: { path, ...object } }: PurgeRequest,
    purging: AbortSignal,
  ): Promise<PurgeOutcome> => {
    const filter = { ...object, path }
    const call: ReplicasPurge | PurgeCall = isShared
      ? { id, filter }
      : { filter, sealed: await journal.seal() }
    return thread.call(CALLS.purge, call, AbortSignal.any([purging, either]))
  }
  const answering = { transport, namespace, clock, log, purge }
  const lead = async (holding: AbortSignal): Promise<void> => {
    holds = true
    witness.tell()
    // Of several replicas, one answers.
    const purges = answerPurges(answering, holding)
    await aborted(holding)
    holds = false
    witness.tell()
    await purges
  }
  const leading = isShared
    ? Promise.all([leadership.lead(lead, either), cutJournal({ thread, journal, clock, log }, either)]).then(
        () => undefined,
      )
    : answerPurges(answering, either)
  // Bytes would be made a key for each value again: seven times the work.
  const hmacKey = createSecretKey(keys.hmacKey)
  const webhook = createAdmissionRoute({
    path: keys.path,
    requests,
    journal,
    redactor: createRedactor({
      hmac: (text) => createHmac('sha256', hmacKey).update(text).digest('hex'),
      paths: config.auditRedact,
    }),
    config,
    metrics: {
      answered(outcome, seconds) {
        answered(outcome, seconds)
        witness.answered(outcome)
      },
    },
    clock,
    log,
  })
  const ended = Promise.race([
    thread.ended,
    registration.run(either),
    untilOthers(deps, resources, either),
    leading,
  ])
  return {
    thread,
    journal,
    registration,
    webhook,
    ended,
    async close() {
      ending.abort()
      for (const stop of stops) stop()
      await Promise.allSettled([ended, thread.ended, leading])
      await journal.close()
    },
  }
}

/** Resolves once the cluster serves other resources that are to be recorded than at the beginning. */
async function untilOthers(
  { transport, config, clock, log }: AuditLogDeps,
  resources: readonly RecordedResource[],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(DISCOVER_MS, signal).catch(() => undefined)
    // What is built in stays what it is.
    if (signal.aborted || config.auditResources.length === 0) continue
    try {
      const now = await discoverRecorded(transport, config, signal)
      if (isDeepStrictEqual(now, resources)) continue
      log.info({}, 'the cluster serves other resources that are to be recorded: beginning anew')
      return
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'could not find out what the cluster serves')
    }
  }
}

function onceReady(thread: Thread<RecorderReport>, then: () => void): () => void {
  let wasReady = false
  return thread.onState(({ ready, joins }) => {
    const isReady = joins ?? ready.ok
    if (isReady !== wasReady) then()
    wasReady = isReady
  })
}

/** Tells the recorder whether reviews come and are kept. */
class Witness {
  readonly #registration: Registration
  readonly #tell: (witness: RecorderFacts['witness']) => void
  readonly #now: () => number
  #lostSince: number | undefined
  #lost: AdmissionOutcome | undefined

  constructor(
    registration: Registration,
    tell: (witness: RecorderFacts['witness']) => void,
    now: () => number,
  ) {
    this.#registration = registration
    this.#tell = tell
    this.#now = now
    this.tell()
  }

  answered(outcome: AdmissionOutcome): void {
    if (isLost(outcome)) {
      if (this.#lost === outcome) return
      this.#lostSince ??= this.#now()
      this.#lost = outcome
      this.tell()
    } else if (this.#lost !== undefined && (outcome === 'recorded' || outcome === 'metadata')) {
      this.#lostSince = undefined
      this.#lost = undefined
      this.tell()
    }
  }

  tell(): void {
    const { ok, reason, since } = this.#registration.registered()
    const full = this.#lost === 'full' && this.#lostSince !== undefined
    this.#tell(
      ok && full && this.#lostSince !== undefined
        ? { ok: false, reason: 'the journal is full', since: this.#lostSince }
        : { ok, reason, since },
    )
  }
}
