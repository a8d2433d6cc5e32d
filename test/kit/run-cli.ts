import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { installedBun } from '../../scripts/bundle/compile.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** How many command lines run ahead at a time. */
const LANES = 4

/** How long a run may take before it is ended and its test fails, in milliseconds. */
const TIME_LIMIT_MS = 90_000

/**
 * How the CLI can be started: `source` is Node on the TypeScript, `bundle` what npm installs, `binary` what Bun compiled.
 */
export type CliForm = 'source' | 'bundle' | 'binary'

/** How one run differs from a plain one. */
export interface CliOptions {
  /** The name it is called by; `kubectl-images` where left out. */
  readonly program?: string
  /** Added to an environment that has PATH, an empty HOME and a cache folder only. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** How a run ended. */
export interface CliResult {
  readonly stdout: string
  readonly stderr: string
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

/** A command line on a terminal. */
export interface TerminalOptions extends CliOptions {
  /** Shell redirections after the command: `> out`, `2> err`, in `cwd`. */
  readonly redirect?: string
  readonly columns?: number
}

/** Why a form cannot be run on this machine, or undefined where it can. */
export function whyNoForm(form: CliForm): string | undefined {
  if (form !== 'binary' || installedBun()) return undefined
  return `no Bun for ${process.platform}-${process.arch}: dist/bin starts the bundle on Node, which is tested as such`
}

/** Why nothing can be run on a terminal here, or undefined where it can: `script` of util-linux makes the terminal. */
export async function whyNoTerminal(): Promise<string | undefined> {
  const child = spawn('script', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const text = await Promise.all([gather(child.stdout), once(child, 'close')]).catch(() => [''])
  return text[0]?.includes('util-linux') ? undefined : 'the command script of util-linux is not here'
}

/** The CLI in one form, as a user starts it: a name on PATH that leads to the program. */
export class Cli {
  readonly form: CliForm
  /** A folder of this object's own: its links, and an empty home. */
  readonly folder: string
  readonly #running = new Set<RunningCli>()

  private constructor(form: CliForm, folder: string) {
    this.form = form
    this.folder = folder
  }

  /** Makes the links; `stop` removes them. */
  static async create(form: CliForm): Promise<Cli> {
    const built = {
      source: 'bin/deckwatch.ts',
      bundle: 'dist/deckwatch.cjs',
      binary: 'dist/bin/kubectl-images',
    }
    if (!existsSync(join(root, built[form]))) throw new Error(`${built[form]} is not there: npm run build`)
    const folder = await mkdtemp(join(tmpdir(), 'deckwatch-cli-'))
    await Promise.all(['home', 'bin'].map((name) => mkdir(join(folder, name))))
    return new Cli(form, folder)
  }

  /** Runs a command line to its end. */
  async run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return (await this.start(args, options)).ended
  }

  /**
   * Runs command lines ahead of the tests that look at them, a few at a time; each test awaits its own. They must not
   * depend on one another, nor on anything that other tests change.
   */
  runAhead(
    lines: Iterable<readonly [key: string, args: readonly string[], options?: CliOptions]>,
  ): (key: string) => Promise<CliResult> {
    const results = new Map<string, Promise<CliResult>>()
    const lanes = Array.from({ length: LANES }, () => Promise.resolve<unknown>(undefined))
    let next = 0
    for (const [key, args, options] of lines) {
      const result = (lanes[next] ?? Promise.resolve()).then(() => this.run(args, options))
      // Whoever awaits the result sees its failure.
      lanes[next] = result.catch(() => undefined)
      results.set(key, result)
      next = (next + 1) % LANES
    }
    return (key) => results.get(key) ?? Promise.reject(new Error(`${key} was not run`))
  }

  /** Starts a command line. */
  async start(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
    const command = [...(await this.#command(options.program)), ...args]
    return this.#spawn(command, options)
  }

  /** Runs a line of POSIX shell in which `$CLI` stands for the command; for pipes. */
  async runShell(script: string, options: CliOptions = {}): Promise<CliResult> {
    const command = (await this.#command(options.program)).map(quoted).join(' ')
    return this.#spawn(['sh', '-c', script.replaceAll('$CLI', () => command)], options).ended
  }

  /** Runs a command line on a terminal; `stdout` has all that the terminal showed, with its line feeds as `\n`. */
  async runInTerminal(args: readonly string[], options: TerminalOptions = {}): Promise<CliResult> {
    return (await this.startInTerminal(args, options)).ended
  }

  /** Starts a command line on a terminal. */
  async startInTerminal(args: readonly string[], options: TerminalOptions = {}): Promise<RunningCli> {
    const line = [...(await this.#command(options.program)), ...args].map(quoted).join(' ')
    const shell = `stty cols ${options.columns ?? 100} onlcr; ${line} ${options.redirect ?? ''}`
    const env = { TERM: 'xterm-256color', ...options.env }
    return this.#spawn(['script', '-qec', shell, '/dev/null'], { ...options, env }, 'pipe')
  }

  /** Ends what still runs and removes the folder. */
  async stop(): Promise<void> {
    await Promise.allSettled([...this.#running].map((running) => running.kill('SIGKILL')))
    await rm(this.folder, { recursive: true, force: true })
  }

  async #command(program = 'kubectl-images'): Promise<string[]> {
    const target = {
      source: join(root, 'bin/deckwatch.ts'),
      bundle: join(root, 'bin', `${program}.cjs`),
      binary: join(root, 'dist/bin', program),
    }[this.form]
    const link = join(this.folder, 'bin', program)
    if (!existsSync(link)) {
      await symlink(target, link).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
    }
    return this.form === 'binary' ? [link] : [process.execPath, link]
  }

  #spawn(
    [file = '', ...args]: readonly string[],
    options: CliOptions,
    stdin: 'ignore' | 'pipe' = 'ignore',
  ): RunningCli {
    const child = spawn(file, args, {
      cwd: options.cwd ?? this.folder,
      env: {
        PATH: process.env['PATH'],
        HOME: join(this.folder, 'home'),
        XDG_CACHE_HOME: join(this.folder, 'cache'),
        ...options.env,
      },
      stdio: [stdin, 'pipe', 'pipe'],
    })
    const running = new RunningCli(child, [basename(file), ...args].join(' '))
    this.#running.add(running)
    void running.ended.finally(() => this.#running.delete(running)).catch(() => undefined)
    return running
  }
}

/** A command line that has been started. */
export class RunningCli {
  /** Rejects where it runs longer than a test may wait. */
  readonly ended: Promise<CliResult>
  readonly #child: ChildProcess
  readonly #what: string
  readonly #output = { stdout: '', stderr: '' }
  readonly #watchers = new Set<() => void>()

  constructor(child: ChildProcess, what: string) {
    this.#child = child
    this.#what = what
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this.#output[name] += text
        for (const watcher of this.#watchers) watcher()
      })
    }
    this.ended = this.#end()
    // Whoever waits for text fails by that.
    this.ended.catch(() => undefined)
  }

  /** What it has written so far. */
  get stdout(): string {
    return this.#output.stdout.replaceAll('\r\n', '\n')
  }

  get stderr(): string {
    return this.#output.stderr
  }

  /** Waits until a stream has the text; fails where the process ends without it. */
  async waitFor(stream: 'stdout' | 'stderr', wanted: string | RegExp): Promise<void> {
    const found = (): boolean =>
      typeof wanted === 'string' ? this[stream].includes(wanted) : wanted.test(this[stream])
    const { promise, resolve } = Promise.withResolvers<void>()
    const watcher = (): void => {
      if (found()) resolve()
    }
    this.#watchers.add(watcher)
    watcher()
    try {
      const ended = this.ended.then(({ exitCode, signal }) => `it ended with ${signal ?? exitCode}`)
      const failure = await Promise.race([promise, ended])
      if (failure === undefined || found()) return
      throw new Error(`${failure} and no ${String(wanted)} in ${stream}:\n${this[stream]}\n${this.stderr}`)
    } finally {
      this.#watchers.delete(watcher)
    }
  }

  /** Presses keys; only on a terminal. */
  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Sends a signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<CliResult> {
    this.#child.kill(signal)
    return this.ended
  }

  /** Leaves the rest of its stdout unread as long as it runs, as a pager does that waits for a key. */
  stopReading(): void {
    this.#child.stdout?.pause()
    this.#child.once('exit', () => this.#child.stdout?.resume())
  }

  /** Closes our end of its stdout, as `head` does when it has what it wants. */
  closeStdout(): void {
    this.#child.stdout?.destroy()
  }

  async #end(): Promise<CliResult> {
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), TIME_LIMIT_MS)
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, NodeJS.Signals | null]
    clearTimeout(limit)
    if (signal === 'SIGKILL' && this.#child.killed) {
      throw new Error(`${this.#what} did not end by itself:\n${this.stdout}\n${this.stderr}`)
    }
    return {
      stdout: this.stdout,
      stderr: this.stderr,
      exitCode: code ?? undefined,
      signal: signal ?? undefined,
    }
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

async function gather(stream: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
