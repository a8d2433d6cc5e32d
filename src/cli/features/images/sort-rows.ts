/** Rows in the order of one value, turned round with `reverse`; unknown values come last, equal ones keep their order. */
export function sortByValue<Row>(
  rows: readonly Row[],
  valueOf: (row: Row) => unknown,
  reverse: boolean,
): Row[] {
  const keyed = rows.map((row) => ({ row, value: valueOf(row) }))
  keyed.sort((a, b) => {
    if (a.value === undefined || b.value === undefined)
      return Number(a.value === undefined) - Number(b.value === undefined)
    const order = compareValues(a.value, b.value)
    return reverse ? -order : order
  })
  return keyed.map(({ row }) => row)
}

function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [String(a), String(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
