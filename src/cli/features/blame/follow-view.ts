import type { JournalNotice } from '../../../core/kube/journal-notice.ts'
import type { Change, RecordingGap } from '../../../core/wire/change.ts'
import { clockText, type Calendar } from './calendar.ts'
import { gapText, weaveGaps } from './gaps.ts'
import { changeRows, entryOf, rowTitles, type ListItem, type RowOptions } from './list-rows.ts'
import type { ChangesPage } from './ports.ts'

/** How changes are shown as they come. */
export interface FollowOptions {
  /** `deployment/web in shop`, `the cluster`. */
  readonly subject: string
  /** As `changeSelector` makes it. */
  readonly matches: (change: Change) => boolean
  /** One object was named: it needs no column. */
  readonly single: boolean
  readonly allNamespaces: boolean
  readonly wide: boolean
  readonly calendar: Calendar
}

/** What a notice tells: rows for stdout, sentences for stderr. */
export interface Followed {
  readonly items: readonly ListItem[]
  /** The changes of the rows, for `-o json` and the like. */
  readonly changes: readonly Change[]
  readonly notes: readonly string[]
}

/** So many changes are remembered, by which one that is told again is known. */
const REMEMBERED = 10_000

/** A change may be decided so long after it was made, in milliseconds. */
const DECIDED_AFTER_MS = 60_000

const CONFIRMED = { label: '', lead: 'confirmed now', values: [], tail: '' } as const

/**
 * Makes rows of what `followChanges` tells, for `cli/render/blame-list`'s stream, each with the time of the day: every
 * change once, and once more where it was decided later whether it landed. `seen` were shown before.
 */
export class FollowView {
  readonly titles: readonly string[]
  readonly #options: FollowOptions
  readonly #rows: RowOptions
  /** States by the changes' names, the oldest first. */
  readonly #seen = new Map<string, string>()
  #newest: number
  #lostAt: number | undefined
  /** Epoch milliseconds: gaps that ended before are known to the reader. */
  #gapsUntil: number

  constructor(options: FollowOptions, seen: readonly Change[], now: number) {
    this.#options = options
    this.#rows = {
      now,
      calendar: options.calendar,
      time: 'clock',
      objects: options.single ? 'none' : options.allNamespaces ? 'namespaced' : 'named',
      owners: false,
      via: options.wide || options.single,
      ids: options.wide,
      fields: options.wide ? Number.POSITIVE_INFINITY : 12,
      unfold: true,
    }
    this.titles = rowTitles(this.#rows)
    this.#newest = now
    this.#gapsUntil = now
    for (const change of seen.toReversed()) this.#remember(change)
  }

  /**
   * Since when (epoch milliseconds) gaps are to be asked for before a notice is taken: it is of a change without a name,
   * which may lie in a gap that no notice tells of. Undefined of all others.
   */
  gapsWanted(notice: JournalNotice<Change, ChangesPage>): number | undefined {
    if (notice.type !== 'record' || notice.record.state !== 'unattributed') return undefined
    const { record } = notice
    const known = Date.parse(record.time) <= this.#gapsUntil
    return known || !this.#options.matches(record) ? undefined : this.#gapsUntil
  }

  /** Gaps that were asked for, the oldest first, as sentences. */
  gaps(gaps: readonly RecordingGap[], now: number): readonly string[] {
    const { calendar } = this.#options
    const found = weaveGaps([], gaps, this.#gapsUntil)
    this.#gapsUntil = now
    return found.flatMap(({ gap }) => (gap ? [gapText(gap, now, calendar)] : [])).toReversed()
  }

  /** What is to be written because of a notice; `now` in epoch milliseconds. */
  take(notice: JournalNotice<Change, ChangesPage>, now: number): Followed {
    switch (notice.type) {
      case 'watching':
        return notes(`following ${this.#options.subject}`)
      case 'record':
        return this.#changes([notice.record])
      case 'interrupted':
        this.#lostAt = notice.at
        return notes(`${this.#clock(notice.at)} the watch was lost (${notice.reason}); trying again`)
      case 'failing':
        return notes(`${this.#clock(notice.at)} still no watch: ${notice.reason}`)
      case 'resumed': {
        const lostAt = this.#lostAt ?? notice.at - notice.downMs
        const gap = `not watching ${this.#clock(lostAt)}–${this.#clock(notice.at)}; resumed`
        return notes(
          notice.how === 'watch'
            ? `${gap}, nothing recorded is missed`
            : `${gap} with a new list: what is in it follows`,
        )
      }
      case 'relisted':
        return this.#relisted(notice.list, now)
      case 'lost':
        return notes(
          `${this.#clock(notice.at)} the companion is gone (${notice.reason}): nothing more is told`,
        )
    }
  }

  #changes(changes: readonly Change[]): Followed {
    const meant = changes.filter((change) => this.#options.matches(change))
    const told = meant.map((change) => ({ change, news: this.#remember(change) }))
    const fresh = told.filter(({ news }) => news !== 'none')
    return {
      items: fresh.flatMap(({ change, news }) => this.#row(change, news === 'decided')),
      changes: fresh.map(({ change }) => change),
      notes: [],
    }
  }

  #row(change: Change, decided: boolean): ListItem[] {
    return changeRows(entryOf({ change, consequences: [] }), this.#rows).map((item) =>
      decided && item.type === 'row' && change.state === 'confirmed'
        ? { ...item, lines: [...item.lines, CONFIRMED] }
        : item,
    )
  }

  /** What a new list holds that was not shown, the oldest first, and since when nobody was looking. */
  #relisted({ changes, gaps }: ChangesPage, now: number): Followed {
    const newest = this.#newest
    const missed = changes.filter(
      ({ time, metadata }) =>
        this.#seen.has(metadata?.name ?? '') || Date.parse(time) >= newest - DECIDED_AFTER_MS,
    )
    this.#gapsUntil = newest
    return { ...this.#changes(missed.toReversed()), notes: this.gaps(gaps, now) }
  }

  /** What is new in a change: all of it, or only its state. */
  #remember({ metadata, state, time }: Change): 'change' | 'decided' | 'none' {
    const name = metadata?.name
    this.#newest = Math.max(this.#newest, Date.parse(time))
    if (name === undefined) return 'change'
    const before = this.#seen.get(name)
    if (before === state) return 'none'
    this.#seen.delete(name)
    this.#seen.set(name, state)
    const [oldest] = this.#seen.keys()
    if (this.#seen.size > REMEMBERED && oldest !== undefined) this.#seen.delete(oldest)
    return before === undefined ? 'change' : 'decided'
  }

  #clock(epochMs: number): string {
    return clockText(this.#options.calendar(epochMs))
  }
}

function notes(...texts: readonly string[]): Followed {
  return { items: [], changes: [], notes: texts }
}
