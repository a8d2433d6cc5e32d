import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ManualClock } from '../../kit/manual-clock.ts'

const STEP_MS = 500

/** Lets what is ready to run do so. */
export async function tick(): Promise<void> {
  await nextTurn()
}

/** Turns the clock until the work has ended, so that whoever sleeps never waits. */
export async function turnUntil(work: Promise<unknown>, clock: ManualClock): Promise<void> {
  const state = { over: false }
  const end = (): void => {
    state.over = true
  }
  work.then(end, end)
  while (!state.over) {
    await clock.advance(STEP_MS)
    await tick()
  }
}
