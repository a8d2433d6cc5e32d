import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A test run in a process of its own, which has a control plane and perhaps a node, and waits to be ended. */
export interface OtherRun {
  /** What it says on stderr until it is there. */
  readonly said: AsyncIterable<string>
  /** Once all is up: its folders, and the processes that it started. */
  readonly up: Promise<{ readonly folders: readonly string[]; readonly pids: readonly number[] }>
  /** Ends the run itself, and waits for that. */
  kill(signal: NodeJS.Signals): Promise<void>
}

/** Starts one. */
export function startOtherRun(flags: readonly '--node'[] = []): OtherRun {
  const run = spawn(process.execPath, [join(import.meta.dirname, 'crashing-run.ts'), ...flags], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const said = createInterface(run.stderr)
  const ended = once(run, 'exit')
  const failed = ended.then(([code]) => {
    throw new Error(`the other run has ended with ${String(code)}`)
  })
  const line = once(createInterface(run.stdout), 'line') as Promise<[string]>
  const up = Promise.race([line.then(([text]) => JSON.parse(text)), failed])
  // Whoever kills it before it is up does not wait for that.
  up.catch(() => {})
  failed.catch(() => {})
  return {
    said,
    up,
    kill: async (signal) => {
      run.kill(signal)
      await ended
    },
  }
}
