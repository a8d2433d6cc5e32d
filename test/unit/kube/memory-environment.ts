import type { ConnectionEnvironment } from '../../../src/core/kube/connection.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import { systemClock } from '../../../src/core/lib/time.ts'

/** What a test says of the machine; everything left out is not there. */
export interface MemoryMachine {
  /** Contents by absolute path; an Error is what reading it throws. */
  readonly files?: Readonly<Record<string, string | Error>>
  readonly variables?: Readonly<Record<string, string>>
  readonly home?: string | undefined
  readonly clock?: Clock
  readonly terminal?: boolean
}

/** Node's own error for a file that cannot be read. */
export function fileError(code: string): Error {
  return Object.assign(new Error(`${code}: no`), { code })
}

/** An environment of which every part is the test's; the home is /home/me, the working folder /cwd. */
export function memoryEnvironment(machine: MemoryMachine = {}): ConnectionEnvironment {
  const { files = {}, variables = {}, clock = systemClock, terminal = false } = machine
  return {
    variables,
    home: 'home' in machine ? machine.home : '/home/me',
    workingDirectory: '/cwd',
    clock,
    readFile(path) {
      const content = files[path] ?? fileError('ENOENT')
      if (content instanceof Error) throw content
      return Buffer.from(content)
    },
    stdinIsTerminal: () => terminal,
  }
}
