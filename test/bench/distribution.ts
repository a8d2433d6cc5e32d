/** What many runs of one thing took. */
export interface Distribution {
  readonly median: number
  readonly min: number
  readonly p99: number
}

/** Sums up at least one measurement. */
export function distribution(values: readonly number[]): Distribution {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
  return { median: at(0.5), min: at(0), p99: at(0.99) }
}
