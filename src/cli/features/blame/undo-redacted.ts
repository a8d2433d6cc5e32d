import { REDACTED } from '../../../core/model/redact-object.ts'
import { isMap } from '../../../core/model/object-diff-equal.ts'

/** A value, or a piece of a text, that was taken out before anything was recorded. */
const MARK = new RegExp(`${REDACTED}[0-9a-f]{16}`)

/** Whether something in a recorded value was not kept. */
export function holdsRedacted(value: unknown): boolean {
  if (typeof value === 'string') return MARK.test(value)
  if (Array.isArray(value)) return value.some(holdsRedacted)
  return isMap(value) && Object.values(value).some(holdsRedacted)
}

/** Whether today's value is the recorded one as far as that was kept. */
export function fitsRecorded(today: unknown, recorded: unknown): boolean {
  if (today === recorded) return true
  if (typeof today === 'string' && typeof recorded === 'string') return fitsText(today, recorded)
  if (Array.isArray(recorded)) {
    if (!Array.isArray(today) || today.length !== recorded.length) return false
    return recorded.every((entry, i) => fitsRecorded(today[i], entry))
  }
  if (!isMap(recorded) || !isMap(today)) return false
  const keys = Object.keys(recorded)
  return (
    keys.length === Object.keys(today).length &&
    keys.every((key) => Object.hasOwn(today, key) && fitsRecorded(today[key], recorded[key]))
  )
}

function fitsText(today: string, recorded: string): boolean {
  const [first = '', ...rest] = recorded.split(MARK)
  const last = rest.pop()
  if (last === undefined || !today.startsWith(first)) return false
  let at = first.length
  for (const piece of rest) {
    const found = today.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return today.length - last.length >= at && today.endsWith(last)
}
