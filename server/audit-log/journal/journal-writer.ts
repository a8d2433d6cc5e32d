import { closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { lockStore } from '../../kit/store/store-lock.ts'
import type { JournalWriter } from './journal.ts'
import { JournalProgress } from './journal-progress.ts'
import { listSegments } from './segment-file.ts'
import { whereItEnded } from './segment-scan.ts'
import { SegmentWriter, type SegmentWriterOptions } from './segment-writer.ts'

/** What a journal is opened with; its folder is made where it is missing. */
export interface JournalWriterOptions extends SegmentWriterOptions {
  /** A random 31-bit number, for a journal that is begun. */
  readonly newWriter: () => number
  /** How long another process may take to give the journal up, in milliseconds; 2 s where left out. */
  readonly lockWaitMs?: number
}

/** A writer that also tells a reader in another thread how far it may read. */
export interface SharedJournalWriter extends JournalWriter {
  readonly progress: JournalProgress
}

/**
 * Opens the journal of a folder and goes on where it ended. Throws STORE_LOCKED while another process has it, STORE_FAILED
 * where the folder cannot be used.
 */
export function openJournalWriter(options: JournalWriterOptions): SharedJournalWriter {
  const { folder, log } = options
  let unlock: (() => void) | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    unlock = lockStore(join(folder, 'journal.lock'), options.lockWaitMs ?? 2000)
    const ended = whereItEnded(folder)
    if (ended?.damaged)
      log.warn({ segment: ended.segment }, 'the last segment of the journal ends in a bad record')
    const writer = ended?.writer ?? options.newWriter()
    const segments = listSegments(folder)
    const last = segments.at(-1)
    const progress = new JournalProgress()
    if (last) {
      // What a killed process had not synced may be read from now on; what it had prepared and not written is no part of it.
      const bytes = ended?.segment === last.segment && !ended.damaged ? ended.bytes : last.bytes
      syncNow(last.path, bytes)
      progress.advance({ segment: last.segment, offset: bytes })
    }
    return new SegmentWriter(options, {
      writer,
      seq: ended?.seq ?? 0,
      segment: last?.segment ?? 0,
      progress,
      unlock,
    })
  } catch (cause) {
    unlock?.()
    if (cause instanceof DeckError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new DeckError('STORE_FAILED', `the journal in ${folder} cannot be opened: ${why}`, {
      hint: 'The folder of --data must be writable by this process and must not be full.',
      cause,
    })
  }
}

function syncNow(path: string, bytes: number): void {
  const file = openSync(path, 'r+')
  try {
    ftruncateSync(file, bytes)
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
}
