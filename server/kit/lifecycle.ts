import type { Clock } from '../../src/core/lib/time.ts'
import { aborted } from './aborted.ts'
import type { Log } from './log.ts'
import type { ProbeAnswer } from './room.ts'

/** Something that works for as long as the process does. */
export interface Task {
  /** As it is named when it fails. */
  readonly name: string
  /** Resolves after the signal aborted; to resolve before is a failure. */
  run(signal: AbortSignal): Promise<void>
}

/** What a process consists of and how it ends. */
export interface Lifecycle {
  /**
   * Each stage is asked to end when the one before it has ended: listeners before the rooms that they read from, and
   * those before what feeds them.
   */
  readonly stages: readonly (readonly Task[])[]
  /** Done first when the process is asked to end, and no longer waited for than a second. */
  readonly beforeEnd?: (signal: AbortSignal) => Promise<void>
  /** From the request to end; then the process ends whatever is left. */
  readonly graceMs: number
  readonly clock: Clock
  readonly log: Log
}

/** How a process fared: 0 it was asked to end and has, 1 something failed or did not end in time. */
export type Outcome = 0 | 1

const BEFORE_END_MS = 1000

/**
 * Runs everything until `end` aborts or a task fails, and then ends it stage by stage. Never rejects: what failed is
 * named in the log.
 */
export async function runToEnd(lifecycle: Lifecycle, end: AbortSignal): Promise<Outcome> {
  const { stages, graceMs, clock, log, beforeEnd } = lifecycle
  const failed = new AbortController()
  const ending = AbortSignal.any([end, failed.signal])
  const left = new Set<string>()
  const running = stages.map((tasks) => {
    const stop = new AbortController()
    const ended = Promise.all(
      tasks.map(async (task) => {
        const { name } = task
        left.add(name)
        try {
          await task.run(stop.signal)
          if (!stop.signal.aborted) throw new Error(`${name} ended by itself`)
        } catch (error) {
          log.error({ err: error, part: name }, `${name} failed`)
          failed.abort()
        }
        left.delete(name)
      }),
    )
    return { stop, ended }
  })
  await aborted(ending)
  log.info({ graceMs }, 'ending')
  const endInOrder = async (): Promise<void> => {
    if (beforeEnd)
      await beforeEnd(AbortSignal.timeout(BEFORE_END_MS)).catch((err: unknown) =>
        log.warn({ err }, 'the last look failed'),
      )
    for (const { stop, ended } of running) {
      stop.abort()
      await ended
    }
  }
  const waiting = new AbortController()
  const inTime = await Promise.race([
    endInOrder().then(() => true),
    clock.sleep(graceMs, waiting.signal).then(
      () => false,
      () => false,
    ),
  ])
  waiting.abort()
  if (!inTime) log.error({ left: [...left] }, 'not everything ended in time')
  else log.info({}, 'ended')
  return inTime && !failed.signal.aborted ? 0 : 1
}

/** A probe that is not ready once the process was asked to end, so that no more requests are sent here. */
export function endingProbe(end: AbortSignal): {
  ready(): ProbeAnswer
  alive(): ProbeAnswer
  readonly name: string
} {
  return {
    name: 'shutdown',
    ready: () => (end.aborted ? { ok: false, reason: 'ending' } : { ok: true, reason: 'not ending' }),
    alive: () => ({ ok: true, reason: end.aborted ? 'ending' : 'not ending' }),
  }
}
