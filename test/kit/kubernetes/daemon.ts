import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'
import type { RunFolder } from './run-folder.ts'

/** What a daemon is made of. */
export interface DaemonOptions {
  readonly name: string
  /** Program and arguments. */
  readonly command: readonly string[]
  readonly folder: RunFolder
}

/** One background process of the kit with its log file; it can be ended, started again, stopped and continued. */
export class Daemon {
  readonly name: string
  readonly logFile: string
  readonly #options: DaemonOptions
  #child: ChildProcess | undefined

  constructor(options: DaemonOptions) {
    this.name = options.name
    this.logFile = options.folder.file(`${options.name}.log`)
    this.#options = options
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Starts the process; does not wait until it is ready. */
  start(): void {
    if (this.running) throw new Error(`${this.name} runs already`)
    const [program = '', ...args] = this.#options.command
    const log = openSync(this.logFile, 'a')
    this.#child = spawn(program, args, {
      stdio: ['ignore', log, log],
      // Ctrl-C at the terminal reaches the tests only, which end their daemons in order.
      detached: true,
    })
    closeSync(log)
    this.#child.unref()
    // A program that cannot be started has no pid, and `check` tells.
    this.#child.once('error', () => {})
    if (this.#child.pid !== undefined) this.#options.folder.record(this.name, this.#child.pid)
  }

  /** Throws with the end of the log when the process has ended by itself. */
  check(): void {
    if (this.running && this.#child?.pid !== undefined) return
    const tail = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
    throw new Error(`${this.name} has ended (${this.#child?.exitCode ?? this.#child?.signalCode}):\n${tail}`)
  }

  /** SIGKILL, and wait for the end; nothing where it does not run. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child || !this.running) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const children = child.pid === undefined ? [] : childrenOf(child.pid)
    child.ref()
    child.kill('SIGKILL')
    await ended
    child.unref()
    // Where the process is only the way into a namespace, the one inside is killed by the kernel, a moment later.
    while (children.some(isAlive)) await delay(5)
  }

  /** SIGSTOP: the process keeps its connections and answers nothing. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  /** SIGCONT. */
  resume(): void {
    this.#child?.kill('SIGCONT')
  }
}

function childrenOf(pid: number): ProcessIdentity[] {
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  return pids.split(' ').flatMap((child) => identifyProcess(Number(child)) ?? [])
}
