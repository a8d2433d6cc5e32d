import { createHash } from 'node:crypto'
import type { AuditStore } from '../store/audit-store.ts'

/** Writers of journals are numbered below it. */
const FIRST_COLLECTOR = 2 ** 31
const NOTHING = { added: [], decided: [], known: [], gaps: [] }

/**
 * Remembers in the store up to where a collector has confirmed the changes, so that whoever records next goes on there, in
 * whichever pod. Each address is another collector.
 */
export class ExportCursor {
  readonly #store: Pick<AuditStore, 'position' | 'commit'>
  readonly #collector: number

  constructor(store: Pick<AuditStore, 'position' | 'commit'>, url: string) {
    this.#store = store
    // The store keeps by number how far each journal was read; what a collector has read is kept beside it.
    const hash = createHash('sha256').update(url).digest().readUIntBE(0, 6)
    this.#collector = FIRST_COLLECTOR + (hash % (Number.MAX_SAFE_INTEGER - FIRST_COLLECTOR))
  }

  /** The number of the last change that was confirmed; undefined where none ever was. */
  async read(): Promise<number | undefined> {
    return (await this.#store.position(this.#collector))?.seq
  }

  /** Keeps it, durably: what is forgotten would be told once more. */
  async write(number: number): Promise<void> {
    const position = { segment: 0, offset: 0 }
    await this.#store.commit({ ...NOTHING, position: { writer: this.#collector, position, seq: number } })
  }
}
