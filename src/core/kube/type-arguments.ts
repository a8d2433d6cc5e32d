import { editDistance } from '../lib/edit-distance.ts'
import { DeckError } from '../lib/errors.ts'
import type { ApiResource } from './api-resource.ts'

/** One type of a command line with the names that were given for it; no names: all objects. */
export interface TypeArgument {
  /** As it was written: `deploy`, `Deployment`, `widgets.v1.example.com`. */
  readonly type: string
  readonly names: readonly string[]
}

/**
 * Reads `TYPE [NAME…]`, `TYPE,TYPE [NAME…]` or `TYPE/NAME …` as kubectl's resource builder does (k8s.io/cli-runtime,
 * resource.Builder); empty without words. What it refuses is a DeckError USAGE.
 */
export function parseTypeArguments(words: readonly string[]): readonly TypeArgument[] {
  const [first, ...names] = words
  if (first === undefined) return []
  if (!words.some((word) => word.includes('/'))) {
    const types = [...new Set(first.split(',').filter((type) => type !== ''))]
    if (types.length === 0) throw new DeckError('USAGE', 'the resource TYPE is empty')
    const empty = names.find((name) => name === '')
    if (empty !== undefined) throw new DeckError('USAGE', 'a resource name may not be empty')
    return types.map((type) => ({ type, names: [...new Set(names)] }))
  }
  const byType = new Map<string, string[]>()
  for (const word of words) {
    const [type = '', name, more] = word.split('/')
    if (name === undefined) {
      throw new DeckError(
        'USAGE',
        `${JSON.stringify(word)} stands beside TYPE/NAME: with those, every argument is one`,
        { hint: 'Write either TYPE NAME NAME or TYPE/NAME TYPE/NAME.' },
      )
    }
    if (type === '' || name === '' || more !== undefined || type.includes(',')) {
      throw new DeckError('USAGE', `${JSON.stringify(word)} is no TYPE/NAME: it has one type and one name`)
    }
    const known = byType.get(type) ?? []
    if (!known.includes(name)) known.push(name)
    byType.set(type, known)
  }
  return [...byType].map(([type, given]) => ({ type, names: given }))
}

/**
 * The type that a word means among types in the order of discovery, as kubectl finds it: `TYPE`, `TYPE.GROUP` (the
 * beginning of a group will do) or `TYPE.VERSION.GROUP`, by plural, singular, kind or short name; the first wins, and
 * a full name wins over a short one (k8s.io/client-go, restmapper). Undefined where there is none.
 */
export function findApiResource(types: readonly ApiResource[], text: string): ApiResource | undefined {
  const [word = '', ...qualifiers] = text.split('.')
  const [version = '', ...group] = qualifiers
  if (group.length > 0) {
    const exact = types.filter((type) => type.version === version && type.group === group.join('.'))
    const found = byName(exact, word)
    if (found) return found
  }
  if (qualifiers.length === 0) return byName(types, word)
  const named = qualifiers.join('.')
  return (
    byName(
      types.filter((type) => type.group === named),
      word,
    ) ??
    byName(
      types.filter((type) => type.group.startsWith(named)),
      word,
    )
  )
}

function byName(types: readonly ApiResource[], text: string): ApiResource | undefined {
  const word = text.toLowerCase()
  return (
    types.find(({ resource, singular }) => resource === word || singular === word) ??
    types.find(({ shortNames }) => shortNames.includes(word)) ??
    types.find(({ kind }) => kind.toLowerCase() === word)
  )
}

/** Names of types that a person may have meant by a word that is none, at most three; the nearest first. */
export function similarTypes(types: readonly ApiResource[], text: string): readonly string[] {
  const word = (text.split('.')[0] ?? '').toLowerCase()
  const limit = word.length > 5 ? 2 : 1
  const near = new Map<string, number>()
  for (const { resource, singular, shortNames } of types) {
    const begun = word.length > 2 && resource.startsWith(word)
    const names = [resource, singular, ...shortNames]
    const distance = begun ? 0 : Math.min(...names.map((name) => editDistance(name, word)))
    if (distance <= limit) near.set(resource, Math.min(distance, near.get(resource) ?? distance))
  }
  return [...near]
    .toSorted(([, one], [, other]) => one - other)
    .slice(0, 3)
    .map(([resource]) => resource)
}
