import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { Progress } from '../../src/cli/render/progress.ts'
import { systemClock } from '../../src/core/lib/time.ts'
import type { Recording } from './recording.ts'
import { ShellRun, type Surroundings } from './shell-run.ts'

/** How long a stream goes on after the last change that it was to show, in milliseconds. */
const AFTERGLOW_MS = 1500
/** Between a stream's beginning and the change that it is to show, in milliseconds. */
const LEAD_MS = 2000

const PLAIN_PROGRESS_MS = 30_000

/** One command of the demo. */
export interface Command {
  /** What is shown, without a full stop. */
  readonly caption: string
  /** As a person types it into a shell. */
  readonly command: string
  /** The exit code with which it ends as it should; 0 where left out. */
  readonly exitCode?: number
}

/** A command that prints until it is interrupted, while something happens. */
export interface StreamCommand extends Command {
  /** What happens meanwhile; the stream ends soon after. */
  readonly meanwhile: (signal: AbortSignal) => Promise<void>
  /** The text with which all has been shown; no longer than `atMostMs` is waited for it. */
  readonly until?: string
  readonly atMostMs: number
}

/** Where the demo plays: says what is done, runs commands and prints what they print, unchanged. */
export class Stage {
  readonly #environment: NodeJS.ProcessEnv
  readonly #folder: string | undefined
  readonly #signal: AbortSignal
  readonly #recording: Recording | undefined
  #failed = 0

  constructor(options: {
    readonly environment: NodeJS.ProcessEnv
    /** Where commands find files that they name; this process's own folder where left out. */
    readonly folder?: string
    readonly signal: AbortSignal
    readonly recording: Recording | undefined
  }) {
    this.#environment = options.environment
    this.#folder = options.folder
    this.#signal = options.signal
    this.#recording = options.recording
  }

  /** How many commands have ended with another exit code than they should. */
  get failed(): number {
    return this.#failed
  }

  /** Says what the next commands are about. */
  begin(title: string): void {
    say(`\n== ${title} ==`)
    this.#recording?.begin(title)
  }

  /** Prints what is shown and how long it took, the command, and its output. */
  async show({ caption, command, exitCode = 0 }: Command): Promise<void> {
    this.#signal.throwIfAborted()
    const started = performance.now()
    const run = new ShellRun(command, this.#surroundings())
    const interrupt = (): void => void run.interrupt()
    this.#signal.addEventListener('abort', interrupt)
    const code = await run.ended()
    this.#signal.removeEventListener('abort', interrupt)
    this.#signal.throwIfAborted()
    const seconds = ((performance.now() - started) / 1000).toFixed(2)
    say(`\n# ${caption} (${seconds} s${code === exitCode ? '' : `, exit code ${code}`})\n$ ${command}`)
    process.stdout.write(run.output)
    if (code !== exitCode) this.#failed += 1
    this.#recording?.add(caption, command, run.output)
  }

  /** The same for a stream: its output is printed as it comes, and in the end it is interrupted as with Ctrl-C. */
  async showStream({ caption, command, meanwhile, until, atMostMs }: StreamCommand): Promise<void> {
    this.#signal.throwIfAborted()
    say(
      `\n# ${caption} (until the demo interrupts it, at most ${Math.round(atMostMs / 1000)} s)\n$ ${command}`,
    )
    const run = new ShellRun(`exec ${command}`, this.#surroundings(), (text) => process.stdout.write(text))
    const shown = (): boolean => until === undefined || run.output.includes(until)
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(atMostMs)])
    try {
      await delay(LEAD_MS, undefined, { signal: limit })
      await meanwhile(limit)
      while (!shown()) await delay(50, undefined, { signal: limit })
      await delay(AFTERGLOW_MS, undefined, { signal: limit })
    } catch (error) {
      this.#signal.throwIfAborted()
      if (!limit.aborted) throw error
    } finally {
      // 130 is how a stream ends well.
      if ((await run.interrupt()) !== 130 || !shown()) this.#failed += 1
    }
    this.#recording?.add(caption, command, run.output)
  }

  #surroundings(): Surroundings {
    return { environment: this.#environment, folder: this.#folder }
  }
}

/** Prints a line of the demo itself. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Does something that takes a while: says before what, and after how long it took; on a terminal it counts meanwhile. */
export async function step<Result>(
  what: string,
  work: (tell: (line: string) => void) => Promise<Result>,
): Promise<Result> {
  const started = performance.now()
  const progress = new Progress({ stream: process.stderr, clock: systemClock })
  let doing = what
  const told = (): string => `${doing}: ${((performance.now() - started) / 1000).toFixed(0)} s`
  // Where there is no terminal, a line now and then says that it is still alive.
  const counting = process.stderr.isTTY
    ? setInterval(() => progress.update(told()), 500)
    : setInterval(() => say(`  ${told()}`), PLAIN_PROGRESS_MS)
  try {
    const result = await work((line) => {
      progress.clear()
      say(`  ${line}`)
      doing = line
    })
    progress.stop()
    const seconds = (performance.now() - started) / 1000
    // What was there already is not worth a line.
    if (seconds >= 0.1) say(`${what}: done in ${seconds.toFixed(1)} s`)
    return result
  } finally {
    clearInterval(counting)
    progress.stop()
  }
}
