import { randomUUID } from 'node:crypto'
import type { Clock } from '../../src/core/lib/time.ts'
import { ApiError } from '../kit/api/api-error.ts'
import type { ServedObject } from '../kit/api/resource.ts'

/** A whole list as it was at one moment, of which a reader has had some pages. */
export interface ListSnapshot {
  /** Which resource and scope it is of: a token of another one opens nothing. */
  readonly question: string
  /** Who asked first. */
  readonly username: string
  readonly items: readonly ServedObject[]
  readonly resourceVersion: string
  readonly extra: Readonly<Record<string, unknown>>
}

/** Objects are shared with what is served, so that a snapshot costs little more than its array. */
const MOST_SNAPSHOTS = 64
/** So that nobody makes the pages of all others end in 410. */
const MOST_OF_ONE_USER = 8
const LIFETIME_MS = 3 * 60_000

/** Keeps lists for the next page for some minutes, so that all pages are of one moment. */
export class ListSnapshots {
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly snapshot: ListSnapshot; readonly until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The token of the page that begins with this item. */
  token(snapshot: ListSnapshot, offset: number, known?: string): string {
    const id = known ?? randomUUID()
    // Read again, it is the youngest again.
    this.#kept.delete(id)
    this.#kept.set(id, { snapshot, until: this.#clock.now() + LIFETIME_MS })
    const own = [...this.#kept].filter(([, kept]) => kept.snapshot.username === snapshot.username)
    for (const [old] of own.slice(0, -MOST_OF_ONE_USER)) this.#kept.delete(old)
    for (const [old, { until }] of this.#kept) {
      if (this.#kept.size <= MOST_SNAPSHOTS && until > this.#clock.now()) break
      this.#kept.delete(old)
    }
    return Buffer.from(`${id}.${offset}`).toString('base64url')
  }

  /** The list that a token is of and where its page begins; 410 where it is no longer kept. */
  find(token: string, question: string): { snapshot: ListSnapshot; offset: number; id: string } {
    const [id = '', offset = ''] = Buffer.from(token, 'base64url').toString('latin1').split('.')
    const kept = this.#kept.get(id)
    if (
      !kept ||
      kept.until <= this.#clock.now() ||
      kept.snapshot.question !== question ||
      !/^\d+$/.test(offset)
    ) {
      throw new ApiError('Expired', 'the continue token is too old, or is not of this list: list again')
    }
    return { snapshot: kept.snapshot, offset: Number(offset), id }
  }
}
