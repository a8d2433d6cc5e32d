import type { JournalEntry, JournalPosition, JournalReader } from '../../server/audit-log/journal/journal.ts'

const AT_ONCE = 200

/** A journal in memory that a test writes; positions count entries. */
export class HandJournal implements JournalReader {
  readonly entries: JournalEntry[] = []
  /** Up to where entries may be deleted. */
  released = 0

  get position(): JournalPosition {
    return { segment: 1, offset: this.entries.length }
  }

  /** Resolves after a moment: a test has no other thread to be woken by. */
  moved(_from: JournalPosition, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, Math.min(withinMs, 20)).unref()
    })
  }

  append(entry: Omit<JournalEntry, 'seq'>): number {
    const seq = this.entries.length + 1
    this.entries.push({ ...entry, seq })
    return seq
  }

  read(
    after: JournalPosition | undefined,
  ): readonly { readonly entry: JournalEntry; readonly end: JournalPosition }[] {
    const from = after?.offset ?? 0
    return this.entries
      .slice(from, from + AT_ONCE)
      .map((entry, index) => ({ entry, end: { segment: 1, offset: from + index + 1 } }))
  }

  release(before: JournalPosition): void {
    this.released = Math.max(this.released, before.offset)
  }
}
