const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

/**
 * A size in bytes for people, in powers of 1,024: `999 B`, `1.0 KiB`, `67 MiB`, one decimal below 10. The text is the
 * one of go-humanize's IBytes (which kubectl-images prints): rounded to a tenth first, then halves to even.
 */
export function formatBytes(bytes: number): string {
  if (bytes < 10) return `${bytes} B`
  let power = 0
  let unit = 1
  while (bytes >= unit * 1024 && power < UNITS.length - 1) {
    unit *= 1024
    power += 1
  }
  const tenths = Math.floor((bytes / unit) * 10 + 0.5)
  const number = tenths < 100 ? (tenths / 10).toFixed(1) : String(halfToEven(tenths))
  return `${number} ${UNITS[power]}`
}

/** A whole number for prose, with commas between thousands: `10,000`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

function halfToEven(tenths: number): number {
  const whole = Math.floor(tenths / 10)
  const rest = tenths % 10
  return rest > 5 || (rest === 5 && whole % 2 === 1) ? whole + 1 : whole
}
