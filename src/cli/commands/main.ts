import { systemClock } from '../../core/lib/time.ts'
import { runCommand } from '../shell/deck-command.ts'
import { explainFailure, Interrupted } from '../shell/failure.ts'
import { openOutput } from '../shell/descriptor-output.ts'
import type { Session } from '../shell/session.ts'
import { VERSION } from '../shell/version.ts'
import { pluginOf, route, type Program } from './route.ts'

/** How long a command may take to end after Ctrl-C, before it is ended as if it knew nothing of it, in milliseconds. */
const LAST_WORDS_MS = 1_000

/** Runs the program that was called and sets the exit code; never throws and never calls `process.exit`. */
export async function main(program: Program): Promise<void> {
  const [stdout, stderr] = await Promise.all([openOutput(1), openOutput(2)])
  const ending = new AbortController()
  const interrupt = (): void => {
    ending.abort(new Interrupted('interrupted'))
    // A reader that takes nothing, or a name server that does not answer, holds a thread that no signal reaches.
    setTimeout(() => process.kill(process.pid, 'SIGINT'), LAST_WORDS_MS).unref()
  }
  process.once('SIGINT', interrupt)
  const signal = AbortSignal.any([ending.signal, stdout.closed])
  const calledAs = pluginOf(program.name) === undefined ? 'kubectl deckwatch' : 'kubectl'
  const session: Session = { calledAs, stdout, stderr, environment: process.env, clock: systemClock, signal }
  try {
    await dispatch(program, session)
    // A stream ends quietly when it is interrupted; the exit code still tells.
    ending.signal.throwIfAborted()
  } catch (error) {
    // The reader has all it wanted.
    if (stdout.closed.aborted) return
    const failure = explainFailure(
      ending.signal.aborted ? ending.signal.reason : error,
      isDebug(program.argv),
    )
    process.exitCode = failure.exitCode
    // Where stderr cannot be written either, the exit code tells.
    await stderr.write(failure.text).catch(() => undefined)
  } finally {
    process.removeListener('SIGINT', interrupt)
  }
}

async function dispatch(program: Program, session: Session): Promise<void> {
  // Answered before anything is loaded.
  if (program.argv[0] === '--version') return printVersion(program, session)
  if (program.name.startsWith('kubectl_complete-')) {
    const { complete } = await import('./complete.ts')
    return session.stdout.write(await complete(program, session.signal))
  }
  const target = await route(program)
  switch (target.type) {
    case 'version':
      return printVersion(program, session)
    case 'overview':
      return session.stdout.write((await import('./help.ts')).overview())
    case 'help':
      return session.stdout.write(
        await (await import('./help.ts')).commandHelp(target.entry, session.calledAs),
      )
    case 'run':
      await runCommand(await target.entry.load(), target.argv, session)
  }
}

function printVersion({ name }: Program, { stdout }: Session): Promise<void> {
  return stdout.write(`${name} ${VERSION}\n`)
}

function isDebug(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? undefined : end).includes('--debug')
}
