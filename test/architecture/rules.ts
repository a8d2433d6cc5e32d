import { clientNodeDoors, doorBreach, isClientNodeDoor } from './doors.ts'
import { readSource, type Import, type SourceFacts } from './read-imports.ts'
import { dataBreach, resolveImport, roomBreach, roomOf } from './rooms.ts'

const SHAPELESS_NAMES = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'types', 'misc'])
const MAX_LINES = 450

/** Source files by their path from the repository's root, with forward slashes. */
export type SourceTree = ReadonlyMap<string, string>

/** Every breach of the architecture in a tree, one sentence each, sorted; empty where the tree is sound. */
export function breaches(tree: SourceTree): string[] {
  const facts = new Map([...tree].map(([path, text]) => [path, readSource(path, text)]))
  const found: string[] = []
  for (const [path, source] of facts) {
    found.push(...nameBreaches(path))
    if (roomOf(path) === undefined && isProduct(path)) found.push(`${path} lies in no room of the design`)
    if (isProduct(path)) found.push(...productBreaches(path, source))
    for (const { name, line } of source.undocumentedExports) {
      found.push(`${path}:${line} exports ${name} without a doc comment`)
    }
  }
  const doors = [...facts].filter(([path, { imports }]) => isProduct(path) && imports.some(isClientNodeDoor))
  found.push(...clientNodeDoors(doors.map(([path]) => path)), ...cycles(facts))
  return found.toSorted()
}

function isProduct(path: string): boolean {
  return /^(?:src|server|bin)\//.test(path)
}

function nameBreaches(path: string): string[] {
  const names = path.replace(/(?:\.test)?\.ts$/, '').split('/')
  return [
    ...names
      .filter((name) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name))
      .map((name) => `${path}: "${name}" is not kebab-case`),
    ...names
      .filter((name) => SHAPELESS_NAMES.has(name))
      .map((name) => `${path}: "${name}" does not say what it holds`),
  ]
}

function productBreaches(path: string, { imports, lines, mutableState }: SourceFacts): string[] {
  return [
    ...imports.flatMap((edge) => edgeBreaches(path, edge)),
    ...mutableState.map((line) => `${path}:${line} keeps mutable state in the module`),
    ...(lines > MAX_LINES ? [`${path} has ${lines} lines, ${MAX_LINES} are the limit`] : []),
  ]
}

function edgeBreaches(path: string, edge: Import): string[] {
  const { specifier, line } = edge
  const at = `${path}:${line}`
  if (roomOf(path) === undefined) return []
  if (specifier === '(computed)') return [`${at} imports a computed path, which no rule can follow`]
  const breach = specifier.startsWith('.')
    ? roomBreach(path, edge)
    : (dataBreach(path, specifier) ?? doorBreach(path, edge))
  return breach === undefined ? [] : [`${at}: ${breach}`]
}

function cycles(facts: ReadonlyMap<string, SourceFacts>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      found.push(`cycle: ${[...trail.slice(start), path].join(' → ')}`)
      return
    }
    if (done.has(path)) return
    for (const { specifier } of facts.get(path)?.imports ?? []) {
      const target = resolveImport(path, specifier)
      if (specifier.startsWith('.') && facts.has(target)) visit(target, [...trail, path])
    }
    done.add(path)
  }
  for (const path of facts.keys()) visit(path, [])
  return found
}
