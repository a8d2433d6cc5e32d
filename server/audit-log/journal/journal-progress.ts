import type { JournalPosition } from './journal.ts'

/** Offsets are below 4 GiB. */
const SHIFT = 32n
const MASK = (1n << SHIFT) - 1n

/**
 * Up to where a journal is synced, shared between threads: the reader must not see what may still be lost, for its number
 * would then be given again.
 */
export class JournalProgress {
  readonly #cell: BigInt64Array

  /** On the memory of another thread's progress, or on its own. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)) {
    this.#cell = new BigInt64Array(memory)
  }

  /** Handed to the other thread. */
  get memory(): SharedArrayBuffer {
    return this.#cell.buffer as SharedArrayBuffer
  }

  /** Segment 0 before anything was synced. */
  get position(): JournalPosition {
    const value = Atomics.load(this.#cell, 0)
    return { segment: Number(value >> SHIFT), offset: Number(value & MASK) }
  }

  /** Tells how far it is now, and wakes who waits. */
  advance({ segment, offset }: JournalPosition): void {
    Atomics.store(this.#cell, 0, (BigInt(segment) << SHIFT) | BigInt(offset))
    Atomics.notify(this.#cell, 0)
  }

  /** Resolves when it has moved from a position, at the latest after so many milliseconds. */
  async moved(from: JournalPosition, withinMs: number): Promise<void> {
    const expected = (BigInt(from.segment) << SHIFT) | BigInt(from.offset)
    const waiting = Atomics.waitAsync(this.#cell, 0, expected, withinMs)
    if (!waiting.async) return
    // Such a wait alone does not keep a thread's event loop going.
    const awake = setTimeout(() => undefined, withinMs)
    await waiting.value
    clearTimeout(awake)
  }
}
