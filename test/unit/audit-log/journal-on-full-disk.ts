// Fills a small file system with a journal and goes on: prints what it saw as one JSON object.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { JournalFull } from '../../../server/audit-log/journal/journal.ts'
import { createJournalReader } from '../../../server/audit-log/journal/journal-reader.ts'
import { openJournalWriter } from '../../../server/audit-log/journal/journal-writer.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { entriesOf, journalEntry } from './journal-world.ts'

const [folder = ''] = process.argv.slice(2)
const ballast = join(folder, 'ballast')
writeFileSync(ballast, Buffer.alloc(300_000))
const clock = new ManualClock()
const log = recordedLog()
const open = () => openJournalWriter({ folder, clock, log, newWriter: () => 4711 })
let journal = open()

const kept: string[] = []
async function append(number: number): Promise<unknown> {
  const entry = journalEntry(number, 3000)
  try {
    await journal.append(entry)
    kept.push(entry.request.uid)
    return undefined
  } catch (error) {
    return error
  }
}

let number = 0
let full: unknown
while (full === undefined && number < 10_000) full = await append((number += 1))
const filled = kept.length
const atOnce = await append((number += 1))
await clock.advance(1000)
const again = await append((number += 1))
// The process ends and begins while the disk is full.
await journal.close()
journal = open()
const reopened = await append((number += 1))
rmSync(ballast)
await clock.advance(1000)
const recovered = await append((number += 1))
const read = [...entriesOf(createJournalReader({ folder, progress: journal.progress, log }))]
await journal.close()
const seqs = read.map(({ entry }) => entry.seq)
process.stdout.write(
  JSON.stringify({
    filled,
    full: [full, atOnce, again, reopened].map((error) => error instanceof JournalFull),
    recovered: recovered === undefined,
    lost: kept.filter((uid) => !read.some(({ entry }) => entry.request.uid === uid)),
    others: read.length - kept.length,
    rising: seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] ?? 0)),
  }),
)
