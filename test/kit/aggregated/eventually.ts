import { setTimeout as delay } from 'node:timers/promises'

const LIMIT_MS = 90_000
const STEP_MS = 10

/** Waits until something holds that is about to; fails with what it waited for after a minute and a half. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + LIMIT_MS
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`it never came: ${what}`)
    await delay(STEP_MS)
  }
}
