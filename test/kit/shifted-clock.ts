import { globSync, renameSync, writeFileSync } from 'node:fs'
import { installPackages } from './debian-package.ts'
import type { RunFolder } from './kubernetes/run-folder.ts'
import { skip } from './skip.ts'

/** Where Debian puts it, by architecture. */
const LIBRARY = '/usr/lib/*/faketime/libfaketimeMT.so.1'

/** A clock on the wall of chosen processes only, which a test sets while they run; how time passes stays as it is. */
export class ShiftedClock {
  readonly #file: string
  readonly #library: string

  private constructor(library: string, file: string) {
    this.#library = library
    this.#file = file
    this.set(0)
  }

  /** Needs Debian's libfaketime: root gets it installed, anyone else a skip. */
  static need(context: Mocha.Context, folder: RunFolder): ShiftedClock {
    const find = (): string | undefined => globSync(LIBRARY)[0]
    if (find() === undefined) installPackages(['libfaketime'])
    const library = find()
    if (library === undefined)
      return skip(context, 'needs libfaketime (as root on Debian: apt-get install libfaketime)')
    return new ShiftedClock(library, folder.file('clock'))
  }

  /** Of the processes that have this clock. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // Else it would look ten seconds later.
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Without shared memory nothing stays behind after a SIGKILL, and files keep their times.
      FAKETIME_DISABLE_SHM: '1',
      NO_FAKE_STAT: '1',
    }
  }

  /** Sets it so far from the true time, in milliseconds; at once, and also back. */
  set(offsetMs: number): void {
    const next = `${this.#file}.next`
    const seconds = Math.round(offsetMs / 1000)
    writeFileSync(next, `${seconds < 0 ? '' : '+'}${seconds}\n`)
    renameSync(next, this.#file)
  }
}
