import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

/** One program as it is called. */
export interface Command {
  readonly argv: readonly [string, ...string[]]
  /** Added to this process's environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** How often the kernel is asked for a peak: what a process grows by in its last moments is missed by no more. */
const PEAK_EVERY_MS = 2

/** Runs a command to its end with its output read through a pipe and thrown away, and gives the milliseconds it took. */
export function timeRun({ argv: [program, ...args], env }: Command): number {
  const started = performance.now()
  const { status, error, stderr } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  })
  const took = performance.now() - started
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${String(stderr)}`)
  return took
}

/** Runs a command to its end and gives its standard output. */
export async function outputOf({ argv: [program, ...args], env }: Command): Promise<string> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, errors, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${errors}`)
  return output
}

/** Runs a command to its end and gives the largest memory that it had resident, in bytes. */
export async function peakOfRun({ argv: [program, ...args], env }: Command): Promise<number> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'ignore' })
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid))
  }, PEAK_EVERY_MS)
  try {
    const [status] = await once(child, 'exit')
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`)
    return peak
  } finally {
    clearInterval(timer)
  }
}

/** The largest memory that a process has had resident so far, in bytes; 0 once it has ended. */
export function peakOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
