const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

/**
 * How long ago a moment was, as kubectl writes ages: `45s`, `4m30s`, `3h20m`, `12d` (k8s.io/apimachinery,
 * pkg/util/duration HumanDuration). Times are epoch milliseconds; what lies ahead by a clock's difference is `0s`.
 */
export function ageOf(then: number, now: number): string {
  const ms = Math.max(0, now - then)
  if (ms < 2 * MINUTE) return inUnit(ms, SECOND, 's')
  if (ms < 10 * MINUTE) return inUnit(ms, MINUTE, 'm', SECOND, 's')
  if (ms < 3 * HOUR) return inUnit(ms, MINUTE, 'm')
  if (ms < 8 * HOUR) return inUnit(ms, HOUR, 'h', MINUTE, 'm')
  if (ms < 2 * DAY) return inUnit(ms, HOUR, 'h')
  if (ms < 8 * DAY) return inUnit(ms, DAY, 'd', HOUR, 'h')
  if (ms < 2 * YEAR) return inUnit(ms, DAY, 'd')
  if (ms < 8 * YEAR) return inUnit(ms, YEAR, 'y', DAY, 'd')
  return inUnit(ms, YEAR, 'y')
}

function inUnit(ms: number, unit: number, name: string, restUnit = 0, restName = ''): string {
  const rest = restUnit > 0 ? Math.floor((ms % unit) / restUnit) : 0
  return `${Math.floor(ms / unit)}${name}${rest > 0 ? `${rest}${restName}` : ''}`
}
