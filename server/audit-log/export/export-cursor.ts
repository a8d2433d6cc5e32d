import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'

/** Remembers on the volume up to where a collector has confirmed the changes. */
export class ExportCursor {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** The number of the last change that was confirmed for this collector; undefined where none ever was. */
  read(collector: string): number | undefined {
    try {
      const { to, number } = JSON.parse(readFileSync(this.#file, 'utf8')) as {
        to?: unknown
        number?: unknown
      }
      return to === collector && Number.isSafeInteger(number) ? (number as number) : undefined
    } catch {
      return undefined
    }
  }

  /** Keeps it, durably: what is forgotten would be told once more. */
  write(collector: string, number: number): void {
    const next = `${this.#file}.next`
    const file = openSync(next, 'w', 0o600)
    try {
      writeSync(file, JSON.stringify({ to: collector, number }))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(next, this.#file)
  }
}
