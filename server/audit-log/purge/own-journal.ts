import type { JournalReader, SealedJournal } from '../journal/journal.ts'
import type { AuditStore, PurgeFilter } from '../store/audit-store.ts'
import type { PurgedReviews } from './purge-history.ts'

/** What the recorder's thread is asked to purge where there is but one journal. */
export interface PurgeCall {
  readonly filter: PurgeFilter
  /** Where the journal's segments ended when it was asked. */
  readonly sealed: SealedJournal
}

/** The reviews of the one journal there is, as it was when it was sealed. */
export function journalReviews(
  {
    store,
    journal,
    writer,
  }: {
    readonly store: Pick<AuditStore, 'position'>
    readonly journal: Pick<JournalReader, 'release'>
    readonly writer: number
  },
  sealed: SealedJournal,
): PurgedReviews {
  return {
    isTaken: async () => ((await store.position(writer))?.seq ?? 0) >= sealed.seq,
    async release(changes) {
      journal.release({ segment: sealed.segment, offset: 0 })
      return changes
    },
  }
}
