import { setImmediate } from 'node:timers/promises'
import type { WatchNotice } from '../kit/api/resource.ts'
import { tooOld } from './journal-place.ts'
import type { NoticeEntry, NoticeLog } from './notice-log.ts'
import type { Published } from './published.ts'

type ObjectNotice = NoticeEntry['notice']

/** What the journal has after a number. */
export interface ReplayChunk {
  readonly notices: readonly ObjectNotice[]
  /** All up to this number is among them. */
  readonly upTo: number
}

/** How one watch goes on. */
export interface FollowOptions {
  readonly published: Published
  readonly log: NoticeLog
  /** Everything up to this number has been told. */
  readonly from: number
  /** Whether the watcher wants it, and may see it. */
  readonly wants: (entry: NoticeEntry) => boolean
  /** Reads from the journal what the log no longer has: some of what follows a number, as far as the watcher wants it. */
  readonly replay: (after: number) => ReplayChunk
  readonly signal: AbortSignal
}

const BATCH = 100

/**
 * Tells everything after a number for as long as the signal and the log let it. The watcher pulls: where it is slow,
 * nothing waits for it here, and it reads the journal once the log has moved on.
 */
export async function* followLog(options: FollowOptions): AsyncGenerator<WatchNotice, void> {
  const { published, log, wants, replay, signal } = options
  let told = options.from
  let ticks = log.ticks
  while (!signal.aborted && !log.closed) {
    if (!log.covers(told)) {
      const { trimmed } = published.journal.state
      if (told < trimmed) throw tooOld(told, trimmed)
      const { notices, upTo } = replay(told)
      yield* notices
      told = upTo
      // Others are served in between, however much there is to read and however little of it is wanted.
      await setImmediate()
      continue
    }
    const entries = log.after(told, BATCH)
    for (const entry of entries) {
      if (signal.aborted || log.closed) return
      if (wants(entry)) yield entry.notice
      told = entry.number
    }
    if (entries.length > 0) continue
    told = published.number
    if (log.ticks !== ticks) {
      ticks = log.ticks
      yield bookmark(told, false)
      continue
    }
    await log.changed(signal)
  }
}

/** Says that everything up to a number has been told. */
export function bookmark(number: number, initialEnd: boolean): WatchNotice {
  return { type: 'BOOKMARK', resourceVersion: String(number), initialEnd }
}
