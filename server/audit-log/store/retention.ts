import { type Kysely, sql } from '../../kit/store/query-builder.ts'
import type { RetentionLimits } from './audit-store.ts'
import type { AuditTables } from './audit-tables.ts'
import { type TableWrite, write } from './table-write.ts'

/** What one step of trimming deletes. */
export interface TrimPlan {
  readonly writes: readonly TableWrite[]
  /** Whether there may be more to do. */
  readonly more: boolean
  /** The highest number of the deleted changes, as distance from the base; undefined where none is. */
  readonly lastNumber: number | undefined
  readonly objects: readonly number[]
  readonly timelines: readonly number[]
}

/** So many changes are deleted in one step, which takes some 20 ms. */
const CHUNK = 200
/** So many rows or timelines are looked at in one step. */
const LOOK = 1000
/** Old changes that stayed as an object's last ones are looked at again after so long. */
const AGAIN_MS = 60 * 60_000

interface Doomed {
  readonly id: number
  readonly number: number
  readonly timeline: number
  readonly object: number
}

const DOOMED = ['id', 'number', 'timeline', 'object'] as const

/**
 * Finds what is beyond the limits, a bounded number at a time: first by age (Secrets by their own), then what an object
 * has too many of, then the oldest of all while the store is too large.
 */
export class Retention {
  readonly #db: Kysely<AuditTables>
  /** Timelines that have more changes since they were looked at. */
  readonly #grown = new Set<number>()
  /** Timelines up to this one were looked at since the start. */
  #lookedUpTo = 0
  #lookedAtAll = false
  #sweep:
    { readonly limits: string; readonly began: number; time: number; id: number; ended: boolean } | undefined
  #counted = ''

  constructor(db: Kysely<AuditTables>) {
    this.#db = db
  }

  /** A timeline has got more changes. */
  grew(timeline: number): void {
    this.#grown.add(timeline)
  }

  /** What is to be deleted next. */
  async plan(limits: RetentionLimits, now: number, usedBytes: number): Promise<TrimPlan> {
    const secrets = await this.#secrets(now - limits.secretsMaxAgeMs)
    if (secrets.length > 0) return this.#delete(secrets)
    const old = await this.#old(limits, now)
    if (old.doomed.length > 0 || old.more) return this.#delete(old.doomed)
    const tooMany = await this.#tooMany(limits.perObject)
    if (tooMany.doomed.length > 0 || tooMany.more) return this.#delete(tooMany.doomed)
    if (usedBytes > limits.maxBytes) {
      const oldest = await this.#oldest()
      if (oldest.length > 0) return this.#delete(oldest)
    }
    return { ...(await this.#delete([])), writes: await this.#gaps(now - limits.maxAgeMs), more: false }
  }

  async #secrets(before: number): Promise<Doomed[]> {
    const kinds = await this.#db
      .selectFrom('kind')
      .innerJoin('resource', 'resource.id', 'kind.resource')
      .select('kind.id')
      .where('api_group', '=', '')
      .where('plural', '=', 'secrets')
      .execute()
    for (const { id } of kinds) {
      const rows = await this.#db
        .selectFrom('change')
        .select(DOOMED)
        .where('kind', '=', id)
        .where('time', '<', before)
        .orderBy('time')
        .limit(CHUNK)
        .execute()
      if (rows.length > 0) return rows
    }
    return []
  }

  /** What is too old, but for the last ones of each object that exists. */
  async #old(
    limits: RetentionLimits,
    now: number,
  ): Promise<{ readonly doomed: Doomed[]; readonly more: boolean }> {
    const before = now - limits.maxAgeMs
    const said = `${limits.maxAgeMs} ${limits.keepLast}`
    if (this.#sweep?.limits !== said || Math.abs(now - this.#sweep.began) > AGAIN_MS)
      this.#sweep = { limits: said, began: now, time: 0, id: 0, ended: false }
    const sweep = this.#sweep
    const rows = await this.#db
      .selectFrom('change')
      .select([...DOOMED, 'time', 'landed'])
      .where('time', '<', before)
      .where(sql<boolean>`(time, id) > (${sweep.time}, ${sweep.id})`)
      .orderBy('time')
      .orderBy('id')
      .limit(LOOK)
      .execute()
    const doomed: Doomed[] = []
    const firstKept = new Map<number, { readonly time: number; readonly id: number } | undefined>()
    for (const row of rows) {
      if (doomed.length >= CHUNK) return { doomed, more: true }
      if (!firstKept.has(row.timeline))
        firstKept.set(row.timeline, await this.#firstKept(row.timeline, limits.keepLast))
      const first = firstKept.get(row.timeline)
      const stays =
        first &&
        row.landed === 1 &&
        (row.time > first.time || (row.time === first.time && row.id >= first.id))
      if (!stays) doomed.push(row)
      sweep.time = row.time
      sweep.id = row.id
    }
    return { doomed, more: rows.length === LOOK }
  }

  /** The oldest of a timeline's last changes that stay; undefined where none does, since its object is gone. */
  async #firstKept(timeline: number, keepLast: number): Promise<{ time: number; id: number } | undefined> {
    if (keepLast <= 0) return undefined
    const exists = await this.#db
      .selectFrom('object')
      .select('id')
      .where('timeline', '=', timeline)
      .where('gone', '=', 0)
      .limit(1)
      .executeTakeFirst()
    if (!exists) return undefined
    const last = await this.#db
      .selectFrom('change')
      .select(['time', 'id'])
      .where('timeline', '=', timeline)
      .where('landed', '=', 1)
      .orderBy('time', 'desc')
      .orderBy('id', 'desc')
      .limit(keepLast)
      .execute()
    return last.at(-1)
  }

  /** What objects have too many of: of what landed, and of what did not. */
  async #tooMany(perObject: number): Promise<{ readonly doomed: Doomed[]; readonly more: boolean }> {
    if (this.#counted !== String(perObject)) {
      this.#counted = String(perObject)
      this.#lookedUpTo = 0
      this.#lookedAtAll = false
    }
    if (!this.#lookedAtAll) await this.#lookAtMore(perObject)
    const doomed: Doomed[] = []
    for (const timeline of this.#grown) {
      for (const landed of [0, 1]) {
        const rows = await this.#db
          .selectFrom('change')
          .select(DOOMED)
          .where('timeline', '=', timeline)
          .where('landed', '=', landed)
          .orderBy('time', 'desc')
          .orderBy('id', 'desc')
          .limit(CHUNK)
          .offset(perObject)
          .execute()
        doomed.push(...rows)
      }
      if (doomed.length >= CHUNK) return { doomed, more: true }
      this.#grown.delete(timeline)
    }
    return { doomed, more: !this.#lookedAtAll }
  }

  /** After a start nobody knows which objects have too many: all are looked at once. */
  async #lookAtMore(perObject: number): Promise<void> {
    const upTo = this.#lookedUpTo + LOOK
    const rows = await this.#db
      .selectFrom('change')
      .select('timeline')
      .where('timeline', '>', this.#lookedUpTo)
      .where('timeline', '<=', upTo)
      .groupBy('timeline')
      .having(sql<boolean>`count(*) > ${perObject}`)
      .execute()
    for (const { timeline } of rows) this.#grown.add(timeline)
    this.#lookedUpTo = upTo
    const last = await this.#db
      .selectFrom('timeline')
      .select((select) => select.fn.max('id').as('id'))
      .executeTakeFirst()
    this.#lookedAtAll = upTo >= (last?.id ?? 0)
  }

  #oldest(): Promise<Doomed[]> {
    return this.#db.selectFrom('change').select(DOOMED).orderBy('time').orderBy('id').limit(CHUNK).execute()
  }

  async #gaps(before: number): Promise<TableWrite[]> {
    const rows = await this.#db
      .selectFrom('gap')
      .select(['begins', 'reason'])
      .where('ends', '<', before)
      .limit(CHUNK)
      .execute()
    return rows.length > 0 ? [write('delete', 'gap', rows)] : []
  }

  /** Deletes changes, and objects that are gone and of which nothing is left then. */
  async #delete(doomed: readonly Doomed[]): Promise<TrimPlan> {
    const ids = doomed.map(({ id }) => id)
    const empty: number[] = []
    const timelines: number[] = []
    for (const timeline of new Set(doomed.map((one) => one.timeline))) {
      const left = await this.#db
        .selectFrom('change')
        .select('object')
        .where('timeline', '=', timeline)
        .where(sql<boolean>`id not in (${sql.join(ids)})`)
        .groupBy('object')
        .execute()
      const kept = new Set(left.map(({ object }) => object))
      const objects = await this.#db
        .selectFrom('object')
        .select(['id', 'gone', 'resource_version'])
        .where('timeline', '=', timeline)
        .execute()
      const gone = objects.filter(
        (one) => !kept.has(one.id) && (one.gone === 1 || one.resource_version === null),
      )
      empty.push(...gone.map(({ id }) => id))
      if (gone.length === objects.length) timelines.push(timeline)
    }
    const touches =
      empty.length === 0
        ? []
        : await this.#db.selectFrom('touch').select(['object', 'path']).where('object', 'in', empty).execute()
    const byId = (rows: readonly number[]) => rows.map((id) => ({ id }))
    return {
      writes: [
        write('delete', 'change', byId(ids)),
        write('delete', 'touch', touches),
        write('delete', 'object', byId(empty)),
        write('delete', 'timeline', byId(timelines)),
      ].filter(({ rows }) => rows.length > 0),
      more: true,
      lastNumber:
        doomed.length === 0 ? undefined : doomed.reduce((last, one) => Math.max(last, one.number), 0),
      objects: empty,
      timelines,
    }
  }
}
