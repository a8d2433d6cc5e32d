/**
 * Which entries of a list changed places against the others, given where each entry of the new list stood in the old
 * one (undefined: nowhere): the fewest that must be moved, by their places in the new list.
 */
export function movedEntries(places: readonly (number | undefined)[]): ReadonlySet<number> {
  const kept: number[] = []
  let ordered = true
  let last = -1
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue
    kept.push(i)
    ordered &&= place > last
    last = place
  }
  if (ordered) return new Set()
  const stay = longestRise(kept, (i) => places[i] ?? -1)
  return new Set(kept.filter((i) => !stay.has(i)))
}

/** The longest subsequence that rises (patience sorting). */
function longestRise(items: readonly number[], valueOf: (item: number) => number): ReadonlySet<number> {
  const tails: number[] = []
  const before = new Map<number, number | undefined>()
  for (const item of items) {
    let [low, high] = [0, tails.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (valueOf(tails[middle] as number) < valueOf(item)) low = middle + 1
      else high = middle
    }
    before.set(item, tails[low - 1])
    tails[low] = item
  }
  const rise = new Set<number>()
  for (let item = tails.at(-1); item !== undefined; item = before.get(item)) rise.add(item)
  return rise
}
