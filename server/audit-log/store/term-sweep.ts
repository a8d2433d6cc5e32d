import type { Kysely } from '../../kit/store/query-builder.ts'
import type { AuditTables } from './audit-tables.ts'
import { type TableWrite, write } from './table-write.ts'

const EVERY_MS = 24 * 60 * 60_000
/** So many rows are looked at in one step. */
const LOOK = 4000
const DELETE = 500

/** What a step found out. */
export interface SweepStep {
  readonly writes: readonly TableWrite[]
  readonly terms: readonly number[]
  readonly more: boolean
}

interface Sweep {
  readonly began: number
  /** Terms up to this one are judged; later ones are new. */
  readonly lastTerm: number
  readonly used: Set<number>
  change: number
  touch: { readonly object: number; readonly path: number } | undefined
  term: number
  phase: 'changes' | 'touches' | 'terms' | 'done'
}

const NOTHING: SweepStep = { writes: [], terms: [], more: true }

/**
 * Once a day finds the terms that no row names any more, such as accounts of service accounts, whose tokens have another
 * id each hour: looks at all rows, some at a time, and takes note of what is written meanwhile.
 */
export class TermSweep {
  readonly #db: Kysely<AuditTables>
  #sweep: Sweep | undefined

  constructor(db: Kysely<AuditTables>) {
    this.#db = db
  }

  /** These steps are written now. */
  saw(writes: readonly TableWrite[]): void {
    const used = this.#sweep?.used
    if (!used) return
    for (const { step, table, rows } of writes) {
      if (step === 'delete' || (table !== 'change' && table !== 'touch')) continue
      for (const row of rows)
        for (const column of ['username', 'account', 'paths', 'path']) {
          const term = row[column]
          if (typeof term === 'number') used.add(term)
        }
    }
  }

  async step(now: number): Promise<SweepStep> {
    const sweep = (this.#sweep = await this.#current(now))
    switch (sweep.phase) {
      case 'changes':
        return this.#lookAtChanges(sweep)
      case 'touches':
        return this.#lookAtTouches(sweep)
      case 'terms':
        return this.#judge(sweep)
      case 'done':
        return { ...NOTHING, more: false }
    }
  }

  async #current(now: number): Promise<Sweep> {
    if (this.#sweep && Math.abs(now - this.#sweep.began) < EVERY_MS) return this.#sweep
    const last = await this.#db
      .selectFrom('term')
      .select((select) => select.fn.max('id').as('id'))
      .executeTakeFirst()
    const used = new Set<number>()
    return {
      began: now,
      lastTerm: last?.id ?? 0,
      used,
      change: 0,
      touch: undefined,
      term: 0,
      phase: 'changes',
    }
  }

  async #lookAtChanges(sweep: Sweep): Promise<SweepStep> {
    const rows = await this.#db
      .selectFrom('change')
      .select(['id', 'username', 'account', 'paths'])
      .where('id', '>', sweep.change)
      .orderBy('id')
      .limit(LOOK)
      .execute()
    for (const { id, username, account, paths } of rows) {
      sweep.used.add(username).add(account).add(paths)
      sweep.change = id
    }
    if (rows.length < LOOK) sweep.phase = 'touches'
    return NOTHING
  }

  async #lookAtTouches(sweep: Sweep): Promise<SweepStep> {
    const { touch } = sweep
    let select = this.#db.selectFrom('touch').select(['object', 'path', 'username'])
    if (touch)
      select = select.where((where) =>
        where(where.refTuple('object', 'path'), '>', where.tuple(touch.object, touch.path)),
      )
    const rows = await select.orderBy('object').orderBy('path').limit(LOOK).execute()
    for (const { object, path, username } of rows) {
      sweep.used.add(path).add(username)
      sweep.touch = { object, path }
    }
    if (rows.length < LOOK) sweep.phase = 'terms'
    return NOTHING
  }

  async #judge(sweep: Sweep): Promise<SweepStep> {
    const rows = await this.#db
      .selectFrom('term')
      .select('id')
      .where('id', '>', sweep.term)
      .where('id', '<=', sweep.lastTerm)
      .orderBy('id')
      .limit(DELETE)
      .execute()
    const terms = rows.map(({ id }) => id).filter((id) => !sweep.used.has(id))
    sweep.term = rows.at(-1)?.id ?? sweep.lastTerm
    if (rows.length < DELETE) {
      sweep.phase = 'done'
      sweep.used.clear()
    }
    const writes =
      terms.length > 0
        ? [
            write(
              'delete',
              'term',
              terms.map((id) => ({ id })),
            ),
          ]
        : []
    return { writes, terms, more: sweep.phase !== 'done' }
  }
}
