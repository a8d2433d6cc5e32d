import { lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

/** How long a killed process may take to be gone, in milliseconds. */
const GONE_MS = 10_000
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

/**
 * The private folder of one running cluster or node: its files, and a record of each process started for it.
 * When this process ends, so do the recorded ones; when it is killed, the next run's sweep ends them.
 */
export class RunFolder {
  readonly path: string
  readonly #onExit = () => {
    const killed = killRecorded(this.path)
    // The kernel ends them when it gets to it: whoever finds this process gone finds these gone too.
    for (const end = Date.now() + GONE_MS; Date.now() < end && killed.some(isAlive);) pause(5)
    this.remove()
  }
  readonly #onSignal = (signal: NodeJS.Signals) => {
    // Whoever else listens decides what the signal means; a default death would run no exit handlers.
    // oxlint-disable-next-line no-process-exit
    if (process.listenerCount(signal) === 0) process.exit(128 + constants.signals[signal])
  }

  constructor(kind: string) {
    const owner = identifyProcess(process.pid)
    if (!owner) throw new Error('the test kit needs Linux: it knows processes by /proc')
    const { boot, pid, startTicks } = owner
    this.path = join(baseFolder(), `${boot}-${pid}-${startTicks}-${kind}-${randomBytes(3).toString('hex')}`)
    mkdirSync(join(this.path, 'processes'), { recursive: true, mode: 0o700 })
    process.once('exit', this.#onExit)
    for (const signal of SIGNALS) process.once(signal, this.#onSignal)
  }

  /** The path of a file in this folder. */
  file(...names: readonly string[]): string {
    return join(this.path, ...names)
  }

  /** Writes down a process that must not outlive this one. */
  record(name: string, pid: number): void {
    const identity = identifyProcess(pid)
    if (identity) {
      // Renamed into place, for a process may be killed in the middle of writing.
      writeFileSync(this.file(`${name}.record`), JSON.stringify(identity))
      renameSync(this.file(`${name}.record`), this.file('processes', name))
    }
  }

  /** The processes that were written down and live. */
  get pids(): readonly number[] {
    return readRecords(join(this.path, 'processes'))
      .filter(isAlive)
      .map(({ pid }) => pid)
  }

  /** Forgets all and removes the folder; the caller has ended its processes. */
  remove(): void {
    process.off('exit', this.#onExit)
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Ends what runs of earlier, killed processes left behind; gives the pids that it ended. */
export async function sweepLeftovers(): Promise<readonly number[]> {
  const ended: ProcessIdentity[] = []
  for (const name of readdirSync(baseFolder())) {
    const [boot, pid, startTicks] = name.split('-')
    if (!boot || !startTicks || isAlive({ boot, pid: Number(pid), startTicks })) continue
    const folder = join(baseFolder(), name)
    const killed = killRecorded(folder)
    ended.push(...killed)
    for (let waited = 0; waited < GONE_MS && killed.some(isAlive); waited += 20) await delay(20)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  return ended.map(({ pid }) => pid)
}

/** The folder under which every run of this user has its own, and locks live. */
export function baseFolder(): string {
  const uid = process.getuid?.() ?? 0
  const path = join(tmpdir(), `deckwatch-kit-${uid}`)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  // Another user could have made a folder of this name, and private keys go into it.
  if (lstatSync(path).uid !== uid) throw new Error(`${path} belongs to another user; remove it or set TMPDIR`)
  return path
}

function killRecorded(folder: string): ProcessIdentity[] {
  const living = readRecords(join(folder, 'processes')).filter(isAlive)
  for (const { pid } of living) process.kill(pid, 'SIGKILL')
  return living
}

function readRecords(folder: string): ProcessIdentity[] {
  try {
    return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
  } catch {
    // Another run sweeps the same folder at this moment.
    return []
  }
}

/** Waits where nothing asynchronous runs any more. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
