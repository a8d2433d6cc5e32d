import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, peakOf } from './command.ts'

/** A program that goes on printing lines, and when each line of interest was first read from it. */
export class LineWatcher {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #seenAt = new Map<string, number>()
  #lines = 0
  #errors = ''

  /** `keyOf` finds what a line is about; of lines about the same thing the first counts. */
  constructor({ argv: [program, ...args], env }: Command, keyOf: (line: string) => string | undefined) {
    this.#child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const now = performance.now()
      this.#lines += 1
      const key = keyOf(line)
      if (key !== undefined && !this.#seenAt.has(key)) this.#seenAt.set(key, now)
    })
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
  }

  /** How many lines it has printed. */
  get lines(): number {
    return this.#lines
  }

  /** What it has written to stderr. */
  get errors(): string {
    return this.#errors
  }

  /** The largest memory that it has had resident so far, in bytes. */
  get peak(): number {
    return peakOf(this.#child.pid)
  }

  /** When (`performance.now()`) the first line about this was read; undefined before. */
  seenAt(key: string): number | undefined {
    return this.#seenAt.get(key)
  }

  /** Waits until something holds, for at most a minute. */
  async until(what: string, holds: (watcher: LineWatcher) => boolean): Promise<void> {
    for (let waited = 0; !holds(this); waited += 10) {
      if (waited > 60_000 || this.#child.exitCode !== null) {
        throw new Error(`${this.#child.spawnfile}: ${what} has not come: ${this.#errors}`)
      }
      await delay(10)
    }
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGINT')
    await ended
  }
}
