import { setTimeout as delay } from 'node:timers/promises'
import type { Daemon } from './daemon.ts'

const LIMIT_MS = 180_000

/** Tries until it works, for as long as the daemon that it is about lives, and for three minutes at most. */
export async function untilReady(
  daemon: Daemon,
  attempt: (signal: AbortSignal) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(LIMIT_MS)
  const either = signal ? AbortSignal.any([signal, limit]) : limit
  for (;;) {
    daemon.check()
    try {
      await attempt(either)
      return
    } catch (cause) {
      signal?.throwIfAborted()
      if (limit.aborted) throw new Error(`${daemon.name} is not ready after ${LIMIT_MS / 1000} s`, { cause })
      await delay(50)
    }
  }
}
