import process from 'node:process'
import { connect } from '../src/core/kube/connect.ts'
import { processEnvironment } from '../src/core/kube/connection.ts'
import { loadConnection } from '../src/core/kube/kubeconfig.ts'
import { systemClock } from '../src/core/lib/time.ts'
import { type RecorderReport, type RecorderStart, runRecorder, runReplica } from './audit-log/index.ts'
import type { Foundation } from './foundation.ts'
import { createLog } from './kit/log.ts'
import { threadPort } from './kit/thread/serve-thread.ts'
import { startThread, type Thread } from './kit/thread/thread-host.ts'
import { VERSION } from './kit/version.ts'

/** How this process calls the recorder's thread. */
export const RECORDER_THREAD = 'recorder'

interface RecorderThreadData {
  readonly start: RecorderStart
  readonly kubeconfig: string
  readonly context: string
  readonly logLevel: Foundation['config']['logLevel']
}

/** Starts this same program as the recorder's thread. */
export function startRecorder(
  { config, clock }: Foundation,
  start: RecorderStart,
  signal: AbortSignal,
): Thread<RecorderReport> {
  const { kubeconfig, context, logLevel } = config
  const data: RecorderThreadData = { start, kubeconfig, context, logLevel }
  return startThread<RecorderReport>(
    {
      program: process.argv[1] ?? '',
      name: RECORDER_THREAD,
      data,
      youngGenerationMb: start.youngGenerationMb,
    },
    clock,
    signal,
  )
}

/** What that thread does, until it is told to end. */
export async function recorderThread(data: unknown): Promise<void> {
  const { start, kubeconfig, context, logLevel } = data as RecorderThreadData
  const environment = processEnvironment()
  const connection = await loadConnection({ kubeconfig, context }, environment)
  const transport = connect(connection, { environment, userAgent: `deckwatch-recorder/${VERSION}` })
  const log = createLog(logLevel).child({ component: 'audit-log', thread: RECORDER_THREAD })
  const run = start.config.store === '' ? runRecorder : runReplica
  await run({ start, transport, clock: systemClock, log, port: threadPort() })
  transport.close()
}
