import { identitiesOf, type EntryKeys, type Identity } from './list-keys.ts'

/**
 * Where each entry of a list stood in its version before, by their keys, undefined for one that is new; undefined
 * altogether where the keys do not tell all entries apart.
 */
export function matchEntries(
  before: readonly unknown[],
  after: readonly unknown[],
  keys: EntryKeys,
): (number | undefined)[] | undefined {
  const from = identitiesOf(before, keys)
  const to = from && identitiesOf(after, keys)
  if (!from || !to) return undefined
  const places = new Map<Identity, number>()
  for (let i = 0; i < from.length; i++) places.set(from[i] as Identity, i)
  if (places.size < from.length || new Set(to).size < to.length) return undefined
  return to.map((identity) => places.get(identity))
}
