import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JournalDisk } from '../../../server/audit-log/journal/journal-disk.ts'
import { systemDisk } from '../../../server/audit-log/journal/journal-disk.ts'
import type {
  JournalEntry,
  JournalPosition,
  JournalReader,
} from '../../../server/audit-log/journal/journal.ts'
import { createJournalReader } from '../../../server/audit-log/journal/journal-reader.ts'
import {
  type JournalWriterOptions,
  openJournalWriter,
  type SharedJournalWriter,
} from '../../../server/audit-log/journal/journal-writer.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

/** A journal in a folder of its own. */
export class JournalWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'deckwatch-journal-'))
  readonly clock = new ManualClock()
  readonly log = recordedLog()
  readonly #open = new Set<SharedJournalWriter>()

  /** Opens the writing end, as a start of the process does. */
  open(options: Partial<JournalWriterOptions> = {}): SharedJournalWriter {
    const { folder, clock, log } = this
    const writer = openJournalWriter({
      folder,
      clock,
      log,
      newWriter: () => 4711,
      lockWaitMs: 50,
      ...options,
    })
    this.#open.add(writer)
    return writer
  }

  /** Closes the writing end. */
  async close(writer: SharedJournalWriter): Promise<void> {
    this.#open.delete(writer)
    await writer.close()
  }

  /** Everything that the journal holds, as a new reader sees it. */
  readAll(progress?: SharedJournalWriter['progress']): readonly JournalEntry[] {
    const reader = createJournalReader({
      folder: this.folder,
      log: this.log,
      ...(progress ? { progress } : {}),
    })
    return [...entriesOf(reader)].map(({ entry }) => entry)
  }

  async end(): Promise<void> {
    for (const writer of this.#open) await writer.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** All that is read behind a position. */
export function* entriesOf(
  reader: JournalReader,
  after?: JournalPosition,
): Generator<{ readonly entry: JournalEntry; readonly end: JournalPosition }> {
  for (let position = after; ;) {
    const found = reader.read(position)
    if (found.length === 0) return
    yield* found
    position = found.at(-1)?.end
  }
}

/** A review of a ConfigMap, told apart by its number; `padding` random-looking characters make it long. */
export function journalEntry(number: number, padding = 0): Omit<JournalEntry, 'seq'> {
  return {
    received: 1000 + number,
    request: {
      uid: `review-${number}`,
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      name: `config-${number}`,
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: { username: 'alice', groups: ['dev'] },
      object: { metadata: { name: `config-${number}` }, data: { text: noise(number, padding) } },
    },
  }
}

function noise(seed: number, length: number): string {
  let state = seed + 1
  let text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    text += state.toString(36)
  }
  return text.slice(0, length)
}

/** A disk on which a test decides how calls go. */
export function diskWith(changes: Partial<JournalDisk>): JournalDisk {
  return { ...systemDisk, ...changes }
}

/** The error of a full disk. */
export function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
}
