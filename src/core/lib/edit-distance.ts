/**
 * How many letters must be put in, taken out, replaced or swapped with their neighbour (optimal string alignment); of
 * texts whose lengths differ by more than two it is only known that it is more than that: 3.
 */
export function editDistance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 2) return 3
  let before: number[] = []
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let y = 1; y <= one.length; y++) {
    const next = [y]
    for (let x = 1; x <= other.length; x++) {
      const same = one[y - 1] === other[x - 1] ? 0 : 1
      const swapped = y > 1 && x > 1 && one[y - 1] === other[x - 2] && one[y - 2] === other[x - 1]
      next.push(
        Math.min(
          (next[x - 1] ?? 0) + 1,
          (row[x] ?? 0) + 1,
          (row[x - 1] ?? 0) + same,
          swapped ? (before[x - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    before = row
    row = next
  }
  return row[other.length] ?? 0
}
