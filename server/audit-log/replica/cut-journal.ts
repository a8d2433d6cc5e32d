import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import type { Thread } from '../../kit/thread/thread-host.ts'
import type { JournalWriter } from '../journal/journal.ts'
import type { JournalCut } from './journal-purges.ts'

/** What cutting stands on. */
export interface CutJournalDeps {
  readonly thread: Pick<Thread<unknown>, 'call'>
  readonly journal: Pick<JournalWriter, 'seal'>
  readonly clock: Clock
  readonly log: Log
}

/** What the thread of a replica is called for. */
export const CALLS = { purge: 'purge', toCut: 'journalToCut', wasCut: 'journalWasCut' } as const

const RETRY_MS = 2000

/** Cuts the journal whenever the thread that hands it over asks for that because of a purge, until the signal aborts. */
export async function cutJournal(
  { thread, journal, clock, log }: CutJournalDeps,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const number = await thread.call<number>(CALLS.toCut, undefined, signal)
      const cut: JournalCut = { number, sealed: await journal.seal() }
      await thread.call(CALLS.wasCut, cut, signal)
    } catch (error) {
      if (signal.aborted) return
      log.warn({ err: error }, 'the journal cannot be cut for a purge: trying again')
      await clock.sleep(RETRY_MS, signal).catch(() => undefined)
    }
  }
}
