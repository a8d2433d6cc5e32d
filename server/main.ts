import { readFileSync } from 'node:fs'
import process from 'node:process'
import { DeckError } from '../src/core/lib/errors.ts'
import type { Config } from './kit/config/config.ts'
import { readConfig } from './kit/config/read-config.ts'
import { createLog } from './kit/log.ts'
import { prepareData } from './kit/prepare-data.ts'
import type { ThreadData } from './kit/thread/thread-host.ts'
import { threadData } from './kit/thread/serve-thread.ts'
import { VERSION } from './kit/version.ts'
import { RECORDER_THREAD, recorderThread } from './recorder-thread.ts'
import { serve } from './serve.ts'

async function main(): Promise<number> {
  const command = await readConfig({
    argv: process.argv.slice(2),
    variables: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    version: VERSION,
  })
  switch (command.kind) {
    case 'print':
      process.stdout.write(command.text)
      return 0
    case 'prepare-data':
      await prepareData(command.folder, command)
      return 0
    case 'serve':
      return serveUntilSignal(command.config)
    default:
      return command satisfies never
  }
}

async function serveUntilSignal(config: Config): Promise<number> {
  const log = createLog(config.logLevel)
  const end = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, end.signal.aborted ? 'asked again to end: ending at once' : 'asked to end')
      if (end.signal.aborted) leave(1)
      end.abort()
    })
  }
  // No request may lead here; what does leaves a state that nobody has thought of, and Kubernetes starts us anew.
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (err: unknown) => {
      log.error({ err }, `unexpected failure (${event}): ending at once`)
      leave(1)
    })
  }
  try {
    // Whatever should still be open, such as a connection that is kept, must not hold up the end of the pod.
    return leave(await serve(config, log, end.signal))
  } catch (err) {
    log.error({ err }, 'cannot start')
    return leave(err instanceof DeckError ? err.exitCode : 1)
  }
}

/** The log is written synchronously, so nothing of it is lost. */
function leave(code: number): never {
  // oxlint-disable-next-line no-process-exit
  process.exit(code)
}

async function run(): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    const told = error instanceof DeckError ? `error: ${error.message} [${error.code}]` : String(error)
    const hint = error instanceof DeckError && error.hint !== undefined ? `\n${error.hint}` : ''
    process.stderr.write(`${told}${hint}\n`)
    process.exitCode = error instanceof DeckError ? error.exitCode : 1
  }
}

async function runThread({ thread, data }: ThreadData): Promise<void> {
  if (thread !== RECORDER_THREAD) throw new Error(`there is no thread ${thread}`)
  await recorderThread(data)
}

const asThread = threadData()
void (asThread ? runThread(asThread) : run())
