import type { ListWatchTimes } from '../../../src/core/kube/list-watch.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import { ChangeJoin, type JoinLimits } from '../../../src/core/model/change-join.ts'
import { UnwatchedJoin } from '../../../src/core/model/change-join-unwatched.ts'
import type { Log } from '../../kit/log.ts'
import type { RecordedResource } from '../config.ts'
import { Feed } from '../feed.ts'
import type { JournalReader } from '../journal/journal.ts'
import type { AuditStore, AuditStoreState, NumberedChange, RetentionLimits } from '../store/audit-store.ts'
import { resourceKey } from '../resource-key.ts'
import { BatchCommit } from './batch-commit.ts'
import { BetweenRounds } from './between-rounds.ts'
import { DecisionBook } from './decision-book.ts'
import { KnownNames } from './known-names.ts'
import { LatestChanges } from './latest-changes.ts'
import { NextBatch } from './next-batch.ts'
import { noCounts, type RecorderCounts } from './recorder-counts.ts'
import { RecordingGaps } from './recording-gaps.ts'
import { RoundPace } from './round-pace.ts'
import { OwnJournal, type Progress, type ReviewIntake, type ReviewSource } from './review-intake.ts'
import type { FeedItem, WatchedStep } from './resource-steps.ts'
import type { ReadReview } from './review-reading.ts'
import type { SilentRules } from './silent-writes.ts'
import { StepBook } from './step-book.ts'
import type { ObjectReading } from './watched-object.ts'
import { WatchedResources } from './watched-resources.ts'
import { abandonedChanges, admittedFacts, knownBefore } from './known-before.ts'

/** What the recorder stands on. */
export interface RecorderDeps {
  readonly journal: JournalReader
  readonly progress: Progress
  /** Of several replicas' reviews; where left out, there is the journal alone. */
  readonly reviews?: ReviewSource
  readonly store: AuditStore
  readonly transport: KubeTransport
  readonly clock: Clock
  readonly log: Log
  readonly reading: ObjectReading
  readonly rules: SilentRules
  readonly resources: readonly RecordedResource[]
  /** The journal's writer, and another (random at each start) for changes that only the watch saw. */
  readonly writers: { readonly journal: number; readonly watch: number }
  readonly limits: RetentionLimits
  /** Why reviews do not come in, or are not kept, in one clause; undefined while they do. */
  readonly failing: () => string | undefined
  /** Called between small pieces of work, with how many milliseconds reading is behind; may stand still for a moment. */
  readonly giveWay?: (behindMs: number) => void
  /** Called after each commit, and about each second. */
  readonly told?: (recorder: Recorder) => void
  readonly times?: Partial<ListWatchTimes>
  readonly join?: Partial<JoinLimits>
}

const STEPS_AT_ONCE = 500
const MOST_STEPS = 2000
/** How often the state is told, and the gaps are looked at. */
const TELL_MS = 1000

/**
 * Reads the journal, watches the recorded resources, and keeps in the store who changed what and whether it landed.
 * What it has read is in the store, with the place in the journal, in one transaction; then the journal is let go.
 * While there is no space or no database it waits and says so: the journal and the API server keep what comes.
 */
export class Recorder {
  readonly #deps: RecorderDeps
  readonly #join: ChangeJoin<WatchedStep>
  readonly #unwatched = new UnwatchedJoin()
  readonly #names = new KnownNames()
  readonly #latest = new LatestChanges(this.#names)
  readonly #batch = new NextBatch()
  readonly #counts = noCounts()
  readonly #feed: Feed
  readonly #steps: StepBook
  readonly #decisions: DecisionBook
  readonly #commits: BatchCommit
  readonly #between = new BetweenRounds()
  readonly #pace: RoundPace
  readonly #watched: WatchedResources
  readonly #reviews: ReviewSource
  #intake: ReviewIntake | undefined
  #gaps: RecordingGaps | undefined
  #state: AuditStoreState | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(deps: RecorderDeps) {
    const { clock, log, transport, reading, rules, times, progress, journal, writers } = deps
    this.#deps = deps
    this.#watched = new WatchedResources(deps.resources)
    this.#reviews = deps.reviews ?? new OwnJournal({ journal, progress, writer: writers.journal })
    this.#join = new ChangeJoin(deps.join)
    this.#feed = new Feed({
      transport,
      clock,
      log,
      reading,
      rules,
      mark: () => this.#reviews.mark(),
      ...(times ? { times } : {}),
    })
    this.#pace = new RoundPace({ clock, reviews: this.#reviews, feed: this.#feed })
    this.#steps = new StepBook({
      store: deps.store,
      batch: this.#batch,
      namespaceUid: (namespace, time) => this.#names.namespaceUid(namespace, time),
    })
    this.#decisions = new DecisionBook({
      batch: this.#batch,
      steps: this.#steps,
      latest: this.#latest,
      counts: this.#counts,
      writer: writers.watch,
      isUnwatched: (resource) => this.#watched.isUnwatched(resource),
      take: (name) => this.#intake?.decided(name),
    })
    const { store, limits } = deps
    this.#commits = new BatchCommit({ store, clock, log, limits, told: () => deps.told?.(this) })
  }

  get counts(): RecorderCounts {
    const oldest = this.#intake?.oldestOpen
    const gap = this.#gaps?.lasts ?? false
    return {
      ...this.#counts,
      ...this.#commits.counts,
      held: this.#join.held,
      waiting: this.#join.waiting,
      oldestPending: oldest,
      gap,
    }
  }

  /** Seq of the last entry that was read of the one journal there is; undefined before the start, and of several. */
  get readSeq(): number | undefined {
    return this.#intake?.readSeq
  }

  /** The store's state after the last commit; undefined before the start. */
  get state(): AuditStoreState | undefined {
    return this.#state
  }

  /** Whether all watches have told all objects once; one clause of what it waits for. */
  get ready(): { readonly ok: boolean; readonly reason: string } {
    if (this.#state === undefined) return { ok: false, reason: 'the store is not open yet' }
    const { synced, reason } = this.#watched
    const { failing } = this.#commits
    return { ok: synced, reason: failing === undefined ? reason : `nothing can be kept: ${failing}` }
  }

  /** Runs work while nothing that was read is not kept; rejects where recording ends before its turn. */
  between<T>(work: () => Promise<T>): Promise<T> {
    return this.#between.run(work)
  }

  /** Records until the signal aborts; rejects with what no waiting heals (StoreTaken, a damaged store). */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController()
    const both = AbortSignal.any([signal, ended.signal])
    await this.#start()
    const work = [this.#follow(both), this.#loop(both)]
    try {
      await Promise.race(work)
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      ended.abort()
      this.#between.end()
      // A round that has begun is kept whole: what is known of objects, and what follows from it, go together.
      await Promise.allSettled(work)
    }
  }

  async #start(): Promise<void> {
    const { store, resources, reading, clock, giveWay } = this.#deps
    const state = await store.claim()
    this.#commits.begin(state.heartbeat)
    const start = {
      store,
      resources,
      names: this.#names,
      hash: reading.hash,
      ...(giveWay ? { giveWay } : {}),
    }
    const [{ intake, taken }, open, gaps] = await Promise.all([
      this.#reviews.open(start),
      store.open(),
      store.gaps(0, clock.now()),
    ])
    this.#intake = intake
    for (const [writer, seq] of taken)
      for (const decision of abandonedChanges(open, writer, seq)) this.#batch.decide(decision)
    await this.#rememberAdmitted(open)
    const unended = gaps.filter(({ to }) => to === undefined)
    this.#gaps = new RecordingGaps(state, unended)
    this.#state = state
  }

  /** Changes of what nobody watches wait for the next review of their object, over any restart. */
  async #rememberAdmitted(open: readonly NumberedChange[]): Promise<void> {
    const { store } = this.#deps
    const admitted = open.filter(
      ({ state, object }) => state === 'admitted' && this.#watched.isReviewedOnly(resourceKey(object)),
    )
    const last = new Map(admitted.map((change) => [change.object.uid, change]))
    for (const change of admitted) {
      const known =
        last.get(change.object.uid) === change ? await store.knownObject(change.object.uid) : undefined
      for (const decision of this.#unwatched.review(admittedFacts(change, known?.hash ?? ''))) {
        if (decision.state !== 'admitted') this.#decisions.reviewDecided(decision)
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { store, reading } = this.#deps
    const state = this.#state
    const start = async (recorded: RecordedResource): Promise<() => Promise<void>> => {
      const known = await knownBefore(store, recorded, reading.hash, this.#names)
      const recordedUntil = state?.heartbeat
      return () => this.#feed.follow(recorded, { known, recordedUntil }, signal)
    }
    const follows: (() => Promise<void>)[] = []
    for (const recorded of this.#watched.all) follows.push(await start(recorded))
    await Promise.all(follows.map((follow) => follow()))
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#between.turn()
      const began = performance.now()
      const done = await this.#step(signal)
      await this.#pace.rest({ began, done, takesSteps: this.#join.waiting < MOST_STEPS }, signal)
    }
  }

  /** One round: what has come of both witnesses, what follows from it, and one commit; tells how much had come. */
  async #step(signal: AbortSignal): Promise<number> {
    const { clock } = this.#deps
    const intake = this.#intake
    if (!intake) return 0
    let entries = 0
    if (this.#watched.knowsNamespaces) {
      entries = await intake.take(clock.now(), (review) => this.#review(review))
      Object.assign(this.#counts, intake.counts)
    }
    // Steps hold their objects until they are decided.
    const items = this.#feed.take(Math.min(STEPS_AT_ONCE, Math.max(0, MOST_STEPS - this.#join.waiting)))
    for (const item of items) this.#item(item)
    for (const decision of this.#join.decide(clock.now(), intake.readUpTo))
      await this.#decisions.decided(decision)
    this.#look(clock.now())
    const { places } = intake
    for (const place of places) {
      // The first commit has all that was read, so that each place is true by itself.
      this.#batch.position = place
      await this.#commit(signal)
    }
    if (places.length === 0) await this.#commit(signal)
    intake.kept(places)
    await this.#commits.trim(clock.now())
    return entries + items.length
  }

  #review(review: ReadReview): void {
    const { facts, record } = review
    if (facts.operation === 'CONNECT') {
      this.#decisions.access(review)
      return
    }
    this.#batch.add(record)
    this.#latest.ask(record)
    if (this.#watched.isUnwatched(facts.resource)) {
      const decisions = this.#unwatched.review(facts)
      for (const decision of decisions) this.#decisions.reviewDecided(decision)
      return
    }
    const known = this.#names.object(facts.resource, facts.name)
    this.#join.review(facts, facts.operation === 'CREATE' || facts.uid === '' || known?.uid === facts.uid)
  }

  #item(item: FeedItem): void {
    switch (item.type) {
      case 'refused':
        this.#watched.refuse(item.recorded)
        break
      case 'step':
        this.#names.take(item.step)
        this.#steps.add(item.step)
        this.#join.transition(item.step, this.#deps.clock.now())
        break
      case 'synced':
        this.#watched.sync(item.recorded)
        this.#join.watching(resourceKey(item.recorded), this.#deps.clock.now())
        break
      case 'interrupted':
        this.#join.watching(resourceKey(item.recorded), undefined)
        break
      case 'resumed': {
        const { recorded, at, downMs, relisted } = item
        this.#join.watching(resourceKey(recorded), at)
        if (relisted) this.#gaps?.relisted(recorded.resource, at, downMs)
        break
      }
      default:
        item satisfies never
    }
  }

  /** Gaps and the heartbeat, about each second. */
  #look(now: number): void {
    if (now >= this.#toldAt && now - this.#toldAt < TELL_MS) return
    this.#toldAt = now
    const { synced } = this.#watched
    for (const missed of this.#intake?.missed() ?? []) this.#gaps?.missed(missed)
    const news = this.#gaps?.look({ synced, failing: this.#deps.failing() }, now)
    if (news) this.#batch.gaps(news.gaps)
    if (news?.heartbeat !== undefined) this.#batch.heartbeat = news.heartbeat
    this.#deps.told?.(this)
  }

  async #commit(signal: AbortSignal): Promise<void> {
    if (this.#batch.empty) return
    const batch = this.#batch.take()
    this.#state = await this.#commits.commit(batch, signal)
    if (batch.added.length + batch.decided.length > 0) this.#deps.told?.(this)
  }
}
