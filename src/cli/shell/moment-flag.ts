import { DeckError } from '../../core/lib/errors.ts'
import { parseDuration } from '../../core/lib/time.ts'

const DAY = 86_400_000

// RFC 3339 with seconds; a date alone is that day's beginning in UTC.
const MOMENT = /^\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d))?$/

/**
 * The moment that a flag's value names, in epoch milliseconds: so long ago (`90s`, `2h30m`, `7d`, `1d12h`) or an
 * instant (`2026-11-21T02:00:00Z`, `2026-11-21`). What is neither, or lies ahead, is a DeckError USAGE.
 */
export function parseMoment(flag: string, text: string, now: number): number {
  const bad = (reason: string, cause?: unknown): DeckError =>
    new DeckError('USAGE', `${flag} ${JSON.stringify(text)}: ${reason}`, {
      hint: 'Write it like 30m, 2h, 7d or 2026-11-21T02:00:00Z.',
      cause,
    })
  if (MOMENT.test(text)) {
    const moment = Date.parse(text)
    if (Number.isNaN(moment)) throw bad('there is no such day or time')
    if (moment > now) throw bad('it lies ahead')
    return moment
  }
  const [, days, rest] = /^(\d+(?:\.\d+)?)d(.*)$/s.exec(text) ?? []
  try {
    if (days === undefined) return now - parseDuration(text)
    return now - Number(days) * DAY - (rest ? parseDuration(rest) : 0)
  } catch (cause) {
    throw bad('it is neither a time span nor an instant', cause)
  }
}
