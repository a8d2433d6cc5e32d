import type { Clock } from '../../../src/core/lib/time.ts'
import type { JournalPosition } from '../journal/journal.ts'
import type { AuditEngine } from './audit-engine.ts'
import { AuditReads } from './audit-reads.ts'
import { StoreTaken } from './audit-store.ts'
import type {
  AuditStore,
  AuditStoreState,
  ChangeId,
  ChangePage,
  ChangeQuery,
  KnownObject,
  NumberedChange,
  PageCursor,
  PurgeFilter,
  RecordBatch,
  RetentionLimits,
  StoredGap,
  StoredTouch,
} from './audit-store.ts'
import type { MetaRow } from './audit-tables.ts'
import { ChangeRows } from './change-rows.ts'
import { Interned } from './interned.ts'
import { planPurge } from './purge.ts'
import { RecordCodec } from './record-codec.ts'
import { Retention, type TrimPlan } from './retention.ts'
import { type TableWrite, write } from './table-write.ts'
import { TermSweep } from './term-sweep.ts'
import { planBatch } from './write-plan.ts'

/** A store over one of the two engines: what is written is planned first and then written in one transaction. */
export class SqlAuditStore implements AuditStore {
  readonly #engine: AuditEngine
  readonly #codec = new RecordCodec()
  readonly #interned: Interned
  readonly #rows: ChangeRows
  readonly #reads: AuditReads
  readonly #retention: Retention
  readonly #sweep: TermSweep
  #writing: Promise<unknown> = Promise.resolve()
  /** What is known to be in the tables; undefined where a write may or may not have been kept. */
  #meta: MetaRow | undefined
  /** How many writes the tables have had, as far as is known. */
  #revision = 0
  #base: number | undefined
  #oldest: number | undefined
  /** What this process may write with; undefined before it claimed a store that others have too. */
  #epoch: number | undefined

  /** Begins an empty store where there is none; to be called by `open`. */
  private constructor(engine: AuditEngine) {
    this.#engine = engine
    if (!engine.shared) this.#epoch = 0
    const { db } = engine
    const base = async (): Promise<number> => (this.#base ??= (await this.#readMeta()).base)
    this.#interned = new Interned(db)
    this.#rows = new ChangeRows(db, this.#codec, base)
    this.#reads = new AuditReads({ db, codec: this.#codec, interned: this.#interned, rows: this.#rows, base })
    this.#retention = new Retention(db)
    this.#sweep = new TermSweep(db)
  }

  /** Opens the store in an engine whose schema is up to date. */
  static async open(engine: AuditEngine, clock: Pick<Clock, 'now'>): Promise<SqlAuditStore> {
    const there = await engine.db.selectFrom('meta').select('id').executeTakeFirst()
    if (!there) {
      const begins = clock.now()
      // Numbers of a store that was lost are older than any of this one, so that a watch from there is told to list again.
      const base = Math.floor(begins / 1000) * 1_000_000
      const meta = {
        id: 1,
        base,
        number: base,
        trimmed: base,
        begins,
        heartbeat: null,
        epoch: 0,
        revision: 0,
      }
      await engine.begin(meta)
    }
    return new SqlAuditStore(engine)
  }

  async state(): Promise<AuditStoreState> {
    if (!this.#engine.shared && this.#meta) return this.#stateOf(this.#meta)
    const meta = await this.#readMeta()
    await this.#readOldest()
    return this.#stateOf(meta)
  }

  async claim(): Promise<AuditStoreState> {
    return this.#alone(async () => {
      this.#meta = undefined
      this.#epoch = await this.#engine.claim()
      return this.#stateOf(await this.#prepare())
    })
  }

  async commit(batch: RecordBatch): Promise<AuditStoreState> {
    return this.#alone(async () => {
      const meta = await this.#prepare()
      const deps = { db: this.#engine.db, interned: this.#interned, codec: this.#codec, rows: this.#rows }
      const first = meta.number - meta.base
      const dictionaries = this.#codec
        .ready()
        .map((made, i) => ({ id: this.#codec.lastDictionary + 1 + i, ...made }))
      let after: MetaRow
      let plan: Awaited<ReturnType<typeof planBatch>>
      try {
        plan = await planBatch(deps, batch, first)
        after = {
          ...meta,
          number: meta.number + plan.numbers,
          heartbeat: batch.heartbeat ?? meta.heartbeat,
        }
        const steps = [
          ...plan.writes,
          write('insert', 'dictionary', dictionaries),
          write('update', 'meta', [{ id: 1, number: after.number, heartbeat: after.heartbeat }]),
        ]
        this.#sweep.saw(steps)
        await this.#write(steps)
      } catch (error) {
        this.#interned.abandon()
        throw error
      }
      this.#interned.written()
      for (const dictionary of dictionaries) this.#codec.use(dictionary)
      for (const timeline of plan.grown) this.#retention.grew(timeline)
      if (plan.oldest !== undefined) this.#oldest = Math.min(this.#oldest ?? plan.oldest, plan.oldest)
      this.#meta = after
      return this.#stateOf(after)
    })
  }

  position(
    writer: number,
  ): Promise<{ readonly position: JournalPosition; readonly seq: number } | undefined> {
    return this.#reads.position(writer)
  }

  page(query: ChangeQuery, limit: number, after: PageCursor | undefined): Promise<ChangePage> {
    return this.#reads.page(query, limit, after)
  }

  get(id: ChangeId): Promise<NumberedChange | undefined> {
    return this.#reads.get(id)
  }

  after(number: number, limit: number): Promise<readonly NumberedChange[]> {
    return this.#reads.after(number, limit)
  }

  open(): Promise<readonly NumberedChange[]> {
    return this.#reads.open()
  }

  known(group: string, resource: string): AsyncIterable<KnownObject> {
    return this.#reads.known(group, resource)
  }

  knownObject(uid: string): Promise<KnownObject | undefined> {
    return this.#reads.knownObject(uid)
  }

  touched(object: Parameters<AuditStore['touched']>[0]): Promise<readonly StoredTouch[]> {
    return this.#reads.touched(object)
  }

  count(query: ChangeQuery): Promise<number> {
    return this.#reads.count(query)
  }

  gaps(from: number, to: number): Promise<readonly StoredGap[]> {
    return this.#reads.gaps(from, to)
  }

  async trim(limits: RetentionLimits, now: number): Promise<boolean> {
    return this.#alone(async () => {
      const meta = await this.#prepare()
      const usedBytes = await this.#engine.usedBytes()
      const plan = await this.#retention.plan(limits, now, usedBytes)
      await this.#delete(plan, meta)
      const sweep = plan.more ? undefined : await this.#sweep.step(now)
      if (sweep && sweep.writes.length > 0) {
        await this.#write(sweep.writes)
        this.#interned.forget('term', sweep.terms)
      }
      await this.#engine.reclaim()
      return plan.more || sweep?.more === true
    })
  }

  async purge(filter: PurgeFilter): Promise<number> {
    return this.#alone(async () => {
      const meta = await this.#prepare()
      const deps = { db: this.#engine.db, codec: this.#codec, rows: this.#rows }
      const { writes, deleted, changes } = await planPurge(deps, filter)
      await this.#write([...writes, ...this.#trimmed(meta, deleted)])
      await this.#readOldest()
      return changes
    })
  }

  scrub(): Promise<string | undefined> {
    return this.#alone(() => this.#engine.scrub())
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#engine.close()
  }

  async #delete(plan: TrimPlan, meta: MetaRow): Promise<void> {
    if (plan.writes.length === 0) return
    await this.#write([...plan.writes, ...this.#trimmed(meta, plan.lastNumber)])
    this.#interned.forget('object', plan.objects)
    this.#interned.forget('timeline', plan.timelines)
    await this.#readOldest()
  }

  /** Remembers up to which number changes are missing from now on. */
  #trimmed(meta: MetaRow, lastNumber: number | undefined): TableWrite[] {
    if (lastNumber === undefined) return []
    const trimmed = Math.max(meta.trimmed, meta.base + lastNumber)
    this.#meta = { ...meta, trimmed }
    return [write('update', 'meta', [{ id: 1, trimmed }])]
  }

  /** What is written next follows from what is there: reads it anew where a write may or may not have been kept. */
  async #prepare(): Promise<MetaRow> {
    if (this.#meta) return this.#meta
    const meta = await this.#readMeta()
    if (meta.epoch !== this.#epoch) throw this.#taken()
    this.#revision = meta.revision
    await this.#interned.load()
    for (const row of await this.#engine.db.selectFrom('dictionary').selectAll().orderBy('id').execute())
      this.#codec.use(row)
    await this.#readOldest()
    this.#meta = meta
    return meta
  }

  async #write(steps: readonly TableWrite[]): Promise<void> {
    try {
      await this.#engine.write(steps, { epoch: this.#epoch ?? -1, revision: this.#revision })
      this.#revision += 1
    } catch (error) {
      // Whether it was kept is not known where the answer did not come.
      this.#meta = undefined
      if (error instanceof StoreTaken) this.#epoch = undefined
      throw error
    }
  }

  #taken(): StoreTaken {
    this.#epoch = undefined
    return new StoreTaken('another process writes the audit log, or this one has not claimed it')
  }

  async #readMeta(): Promise<MetaRow> {
    return this.#engine.db.selectFrom('meta').selectAll().executeTakeFirstOrThrow()
  }

  async #readOldest(): Promise<void> {
    const row = await this.#engine.db
      .selectFrom('change')
      .select('time')
      .orderBy('time')
      .limit(1)
      .executeTakeFirst()
    this.#oldest = row?.time
  }

  async #stateOf({ number, trimmed, begins, heartbeat }: MetaRow): Promise<AuditStoreState> {
    return {
      number,
      trimmed,
      begins,
      heartbeat: heartbeat ?? undefined,
      oldest: this.#oldest,
      usedBytes: await this.#engine.usedBytes(),
      setAside: this.#engine.setAside,
    }
  }

  /** One write at a time: a plan is made of what the one before has left. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(work)
    this.#writing = done.catch(() => {})
    return done
  }
}
