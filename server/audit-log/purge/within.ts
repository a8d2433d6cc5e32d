import type { Clock } from '../../../src/core/lib/time.ts'

const LOOK_MS = 100

/** Looks until something is so, and tells whether it was within so many milliseconds; rejects when the signal aborts. */
export async function within(
  ms: number,
  isSo: () => Promise<boolean> | boolean,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  for (const limit = clock.now() + ms; ;) {
    if (await isSo()) return true
    if (clock.now() >= limit) return false
    await clock.sleep(LOOK_MS, signal)
  }
}
