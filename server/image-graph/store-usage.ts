import type { StoreUsage } from '../kit/room.ts'
import type { ImageGraphConfig } from './config.ts'
import type { ImageJournal } from './image-journal.ts'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR

/** What one event takes with its indexes, as measured with names of usual lengths. */
const EVENT_BYTES = 300

/** What the journal takes of the volume, and how fast it grows; `now` in epoch milliseconds. */
export function journalUsage(journal: ImageJournal, config: ImageGraphConfig, now: number): StoreUsage {
  const { begins } = journal.state
  const age = Math.min(DAY, now - begins)
  return {
    usedBytes: journal.usedBytes,
    limitBytes: config.historyBytes,
    oldest: begins,
    bytesPerDay:
      age < HOUR ? undefined : Math.round((journal.countSince(now - age) * EVENT_BYTES * DAY) / age),
  }
}
