import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'

const PATIENCE_MS = 5000

/** Where a command line runs. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv
  /** This process's own where undefined. */
  readonly folder: string | undefined
}

/** One command line in a shell, with all that it and what it starts print, in the order of a terminal. */
export class ShellRun {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #output = ''

  constructor(
    command: string,
    { environment, folder }: Surroundings,
    onOutput: (text: string) => void = () => {},
  ) {
    // One pipe for both streams keeps their order; a process group of its own can be interrupted as a whole.
    this.#child = spawn('sh', ['-c', `exec 2>&1\n${command}`], {
      env: environment,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
      onOutput(text)
    })
    this.#ended = once(this.#child, 'close')
  }

  /** What it has printed so far. */
  get output(): string {
    return this.#output
  }

  /** Waits for its end; gives the exit code, -1 when a signal ended it. */
  async ended(): Promise<number> {
    await this.#ended
    return this.#child.exitCode ?? -1
  }

  /** Interrupts it as Ctrl-C does, and waits for its end, after five seconds with force. */
  async interrupt(): Promise<number> {
    this.#kill('SIGINT')
    const force = setTimeout(() => this.#kill('SIGKILL'), PATIENCE_MS)
    try {
      return await this.ended()
    } finally {
      clearTimeout(force)
    }
  }

  #kill(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
