import { posix } from 'node:path'
import { readSource, type Import, type SourceFacts } from './read-imports.ts'

/** The rooms of the source from top to bottom, each with the rooms below that it may import. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  bin: ['src/cli/commands'],
  'src/cli/commands': [
    'src/cli/shell',
    'src/cli/features',
    'src/cli/render',
    'src/core/kube',
    'src/core/registry',
    'src/core/model',
    'src/core/lib',
  ],
  'src/cli/shell': ['src/core/kube', 'src/core/registry', 'src/core/model', 'src/core/lib'],
  'src/cli/features': ['src/core/kube', 'src/core/registry', 'src/core/model', 'src/core/lib'],
  'src/cli/render': ['src/core/lib'],
  'src/core/kube': ['src/core/model', 'src/core/lib'],
  'src/core/registry': ['src/core/model', 'src/core/lib'],
  'src/core/model': ['src/core/lib'],
  'src/core/lib': [],
  'src/core/wire': [],
}

/** Rooms of which a room may take the types only: the objects are handed to it. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = {
  'src/cli/features': ['src/core/kube', 'src/core/registry'],
}

/** Each third party's door: a room or one file. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  '@oclif/core': ['src/cli/commands', 'src/cli/shell'],
  chalk: ['src/cli/render'],
  'cli-table3': ['src/cli/render'],
  yaml: ['src/core/lib/yaml.ts'],
}

const CLIENT_NODE = '@kubernetes/client-node'
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
  found.push(...clientNodeDoors(facts), ...cycles(facts))
  return found.toSorted()
}

function isProduct(path: string): boolean {
  return path.startsWith('src/') || path.startsWith('bin/')
}

function roomOf(path: string): string | undefined {
  return Object.keys(ROOMS).find((room) => path.startsWith(`${room}/`))
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
  const { specifier, line, typeOnly } = edge
  const at = `${path}:${line}`
  const room = roomOf(path)
  if (room === undefined) return []
  if (specifier === '(computed)') return [`${at} imports a computed path, which no rule can follow`]
  if (room === 'src/core/wire' && !specifier.startsWith('.')) return [`${at}: core/wire imports nothing`]
  if (specifier.startsWith('node:')) return []
  if (!specifier.startsWith('.')) return packageBreaches(path, edge)

  const target = resolveImport(path, specifier)
  const targetRoom = roomOf(target)
  if (targetRoom === room) return []
  if (targetRoom === 'src/core/wire' && room !== 'bin') return []
  if (targetRoom === undefined || !ROOMS[room]?.includes(targetRoom)) {
    return [`${at}: ${room} may not import ${targetRoom ?? target}`]
  }
  if (!typeOnly && TYPES_ONLY[room]?.includes(targetRoom)) {
    return [`${at}: ${room} may import types only from ${targetRoom}`]
  }
  return []
}

function packageBreaches(path: string, { specifier, line, typeOnly, dynamic }: Import): string[] {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (name === CLIENT_NODE) {
    const isDoor = dynamic && path.startsWith('src/core/kube/')
    return typeOnly || isDoor ? [] : [`${path}:${line}: ${name} is loaded by one lazy door in core/kube only`]
  }
  const doors = DOORS[name]
  if (!doors) return [`${path}:${line}: ${name} is no dependency of the product`]
  const passes = doors.some((door) => path === door || path.startsWith(`${door}/`))
  return passes ? [] : [`${path}:${line}: ${name} may be imported in ${doors.join(', ')} only`]
}

function clientNodeDoors(facts: ReadonlyMap<string, SourceFacts>): string[] {
  const doors = [...facts].filter(
    ([path, { imports }]) =>
      isProduct(path) &&
      imports.some(({ specifier, dynamic }) => dynamic && specifier.startsWith(CLIENT_NODE)),
  )
  return doors.length > 1
    ? [`${CLIENT_NODE} has ${doors.length} doors: ${doors.map(([path]) => path).join(', ')}`]
    : []
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

function resolveImport(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier))
}
