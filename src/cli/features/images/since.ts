import { DeckError } from '../../../core/lib/errors.ts'
import { parseDuration } from '../../../core/lib/time.ts'

const DAY = 86_400_000

// RFC 3339 with seconds; a date alone is that day's beginning in UTC.
const MOMENT = /^\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d))?$/

/**
 * The moment that `--since` names, in epoch milliseconds: so long ago (`90s`, `2h30m`, `7d`, `1d12h`) or an instant
 * (`2026-11-21T02:00:00Z`, `2026-11-21`). What is neither, or lies ahead, is a DeckError USAGE.
 */
export function parseSince(text: string, now: number): number {
  if (MOMENT.test(text)) {
    const moment = Date.parse(text)
    if (Number.isNaN(moment)) throw badSince(text, 'there is no such day or time')
    if (moment > now) throw badSince(text, 'it lies ahead')
    return moment
  }
  const [, days, rest] = /^(\d+(?:\.\d+)?)d(.*)$/s.exec(text) ?? []
  try {
    if (days === undefined) return now - parseDuration(text)
    return now - Number(days) * DAY - (rest ? parseDuration(rest) : 0)
  } catch (cause) {
    throw badSince(text, 'it is neither a time span nor an instant', cause)
  }
}

function badSince(text: string, reason: string, cause?: unknown): DeckError {
  return new DeckError('USAGE', `--since ${JSON.stringify(text)}: ${reason}`, {
    hint: 'Write it like 30m, 2h, 7d or 2026-11-21T02:00:00Z.',
    cause,
  })
}
