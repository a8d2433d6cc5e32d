import { editDistance } from '../../../core/lib/edit-distance.ts'
import { parsePath, shortPath } from '../../../core/model/field-path.ts'
import type { Change } from '../../../core/wire/change.ts'
import type { Selection } from './select.ts'

/** So many are offered for each value. */
const MOST = 3
/** Shorter ones are in everything. */
const SHORTEST_PART = 2
/** Of those that are offered. */
const FURTHEST = 5

/** Filters that name what changes have, one value or several of each. */
const NAMED = ['users', 'groups', 'managers', 'tools', 'fields'] as const

type Named = (typeof NAMED)[number]

const FLAGS: Readonly<Record<Named, string>> = {
  users: '--user',
  groups: '--group',
  managers: '--manager',
  tools: '--tool',
  fields: '--field',
}

/** Whether filters hold values that may have been written otherwise than changes have them. */
export function namesValues(filters: Selection): boolean {
  return NAMED.some((name) => filters[name].length > 0)
}

/** The filters without those values. */
export function withoutValues(filters: Selection): Selection {
  return { ...filters, users: [], groups: [], managers: [], tools: [], fields: [] }
}

/**
 * `Did you mean --user dev-1@example.org?`: for each value of the filters that none of the changes has, those that are
 * like it; undefined where there is none. `changes` are those that `withoutValues` leaves.
 */
export function nearHint(filters: Selection, changes: readonly Change[]): string | undefined {
  const offers = NAMED.flatMap((name) => {
    if (filters[name].length === 0) return []
    const known = new Map(changes.flatMap((change) => knownOf(change, name)).map((one) => [one.text, one]))
    return filters[name]
      .filter((value) => !known.has(value))
      .flatMap((value) => near(value, [...known.values()], name))
      .map((text) => `${FLAGS[name]} ${quoted(text)}`)
  })
  const distinct = [...new Set(offers)]
  return distinct.length === 0 ? undefined : `Did you mean ${distinct.join(' or ')}?`
}

/** A value that changes have, and the parts by which people may know it. */
interface Known {
  readonly text: string
  readonly parts: readonly string[]
}

function knownOf(change: Change, name: Named): readonly Known[] {
  const { user, candidates = [], via, changes } = change
  const people = [...(user ? [user] : []), ...candidates]
  switch (name) {
    case 'users':
      return people.map(({ username }) => named(username))
    case 'groups':
      return people.flatMap(({ groups }) => groups.map(named))
    case 'managers':
      return via.manager === '' ? [] : [named(via.manager)]
    case 'tools':
      return via.tool === '' ? [] : [named(via.tool)]
    case 'fields':
      return changes.filter(({ path }) => path !== '').map(({ path }) => field(path))
    default:
      return name satisfies never
  }
}

/** `dev-1` of `system:serviceaccount:shop:dev-1` and of `dev-1@example.org`. */
function named(text: string): Known {
  return { text, parts: text.toLowerCase().split(/[:@/]/) }
}

/** `image` of `containers[app].image`. */
function field(path: string): Known {
  const last = parsePath(path).findLast((step) => 'key' in step)
  return { text: shortPath(path), parts: last && 'key' in last ? [last.key.toLowerCase()] : [] }
}

/** The nearest first: what is alike by chance is left out where something is nearer. */
function near(value: string, known: readonly Known[], name: Named): readonly string[] {
  // As screens write a ServiceAccount: shop/ci.
  const wanted = (name === 'users' ? value.replaceAll('/', ':') : value).toLowerCase()
  const ranked = known
    .map((one) => ({ text: one.text, rank: rankOf(wanted, one, name) }))
    .toSorted((a, b) => a.rank - b.rank)
  const furthest = Math.min((ranked[0]?.rank ?? 0) + 1, FURTHEST)
  return ranked
    .filter(({ rank }) => rank <= furthest)
    .slice(0, MOST)
    .map(({ text }) => text)
}

function rankOf(wanted: string, { text, parts }: Known, name: Named): number {
  const whole = text.toLowerCase()
  if (whole === wanted) return 0
  if (parts.includes(wanted)) return 1
  if (wanted.length >= SHORTEST_PART && whole.includes(wanted)) return 2
  const distance = Math.min(...[whole, ...parts].map((part) => editDistance(part, wanted)))
  if (distance <= (wanted.length > 5 ? 2 : 1)) return 2 + distance
  // The same field of another entry, or in another place.
  if (name === 'fields' && parts.includes(wanted.split(/[.\]]/).at(-1) ?? '')) return FURTHEST
  return Number.POSITIVE_INFINITY
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
