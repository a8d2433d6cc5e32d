/**
 * A process that is killed while it writes a journal, and moves it into a database in another thread:
 * `killed-journal.ts FOLDER write|drain`. It prints each acknowledged review as `SEQ UID`, or at the end what the database
 * holds.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { createJournalReader } from '../../../server/audit-log/journal/journal-reader.ts'
import { JournalProgress } from '../../../server/audit-log/journal/journal-progress.ts'
import { openJournalWriter } from '../../../server/audit-log/journal/journal-writer.ts'
import type { JournalPosition } from '../../../server/audit-log/journal/journal.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { journalEntry } from './journal-world.ts'

const AT_ONCE = 16
const SEGMENT_BYTES = 64 * 1024

class Moved {
  readonly #database: DatabaseSync

  constructor(folder: string) {
    this.#database = new DatabaseSync(join(folder, 'moved.sqlite'))
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS review (seq INTEGER, uid TEXT);
      CREATE TABLE IF NOT EXISTS position (segment INTEGER, offset INTEGER)`)
  }

  get position(): JournalPosition | undefined {
    const row = this.#database.prepare('SELECT segment, offset FROM position').get()
    return row && { segment: Number(row['segment']), offset: Number(row['offset']) }
  }

  /** Moves what is new, with the position in the same transaction; whether there was anything. */
  step(reader: ReturnType<typeof createJournalReader>): boolean {
    const found = reader.read(this.position)
    const last = found.at(-1)
    if (!last) return false
    this.#database.exec('BEGIN IMMEDIATE')
    const insert = this.#database.prepare('INSERT INTO review VALUES (?, ?)')
    for (const { entry } of found) insert.run(entry.seq, entry.request.uid)
    this.#database.exec('DELETE FROM position')
    this.#database.prepare('INSERT INTO position VALUES (?, ?)').run(last.end.segment, last.end.offset)
    this.#database.exec('COMMIT')
    reader.release(last.end)
    return true
  }

  rows(): readonly string[] {
    return this.#database
      .prepare('SELECT seq, uid FROM review ORDER BY seq')
      .all()
      .map((row) => `${String(row['seq'])} ${String(row['uid'])}`)
  }
}

const log = recordedLog()
if (isMainThread) {
  const [folder = '', mode] = process.argv.slice(2)
  const journal = openJournalWriter({
    folder: join(folder, 'journal'),
    segmentBytes: SEGMENT_BYTES,
    newWriter: () => 4711,
    clock: systemClock,
    log,
  })
  if (mode === 'write') {
    const { memory } = journal.progress
    const mover = new Worker(new URL(import.meta.url), { workerData: { folder, memory } })
    mover.on('exit', () => process.exit(1))
    let number = journal.synced * 1000
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (;;) {
          const entry = journalEntry((number += 1), number % 3000)
          const seq = await journal.append(entry)
          writeSync(1, `${seq} ${entry.request.uid}\n`)
        }
      }),
    )
  } else {
    const moved = new Moved(folder)
    const reader = createJournalReader({ folder: join(folder, 'journal'), log })
    while (moved.step(reader));
    for (const row of moved.rows()) writeSync(1, `${row}\n`)
    await journal.close()
  }
} else {
  const { folder, memory } = workerData as { readonly folder: string; readonly memory: SharedArrayBuffer }
  const progress = new JournalProgress(memory)
  const moved = new Moved(folder)
  const reader = createJournalReader({ folder: join(folder, 'journal'), progress, log })
  for (;;) {
    const seen = progress.position
    if (!moved.step(reader)) await progress.moved(seen, 1000)
  }
}
