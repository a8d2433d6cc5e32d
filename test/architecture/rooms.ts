import { posix } from 'node:path'
import type { Import } from './read-imports.ts'

const CORE = ['src/core/kube', 'src/core/registry', 'src/core/model', 'src/core/lib']

/** The companion's components: each is a folder of its own, and none knows another. */
const COMPONENTS = [
  'server/image-graph',
  'server/audit-log',
  'server/log-tailer',
  'server/registry-checker',
  'server/role-reconciler',
]

/** The files that stand in `server` itself. */
const COMPOSITION_ROOT = 'server/main'

const DEPLOY = 'server/deploy'

/** The rooms of the source from top to bottom, each with the rooms below that it may import. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  bin: ['src/cli/commands'],
  'src/cli/commands': ['src/cli/shell', 'src/cli/features', 'src/cli/render', ...CORE],
  'src/cli/shell': CORE,
  'src/cli/features': CORE,
  'src/cli/render': ['src/core/lib'],
  [COMPOSITION_ROOT]: [...COMPONENTS, 'server/kit', ...CORE],
  ...Object.fromEntries(COMPONENTS.map((component) => [component, ['server/kit', ...CORE]])),
  'server/kit': CORE,
  [DEPLOY]: [],
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

/** The part of the CLI that brings the companion into a cluster: it alone may read the manifests. */
const INSTALLERS = ['src/cli/features/deckwatch/', 'src/cli/commands/deckwatch/']

/** What a room's `rights.ts` says is data for manifests, documents and tests. */
const isRights = (path: string): boolean => /^server\/(?:.+\/)?rights\.ts$/.test(path)

/** The room that a file lies in, by the folder it stands in; undefined where the design has none. */
export function roomOf(path: string): string | undefined {
  if (/^server\/[^/]+$/.test(path)) return COMPOSITION_ROOT
  return Object.keys(ROOMS).find((room) => path.startsWith(`${room}/`))
}

/** Where an import of the repository's own files leads: its path from the root. */
export function resolveImport(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier))
}

/** What is wrong with a file importing another of the repository; undefined where nothing is. */
export function roomBreach(path: string, { specifier, typeOnly }: Import): string | undefined {
  const room = roomOf(path)
  const target = resolveImport(path, specifier)
  const targetRoom = roomOf(target)
  if (isRights(path)) return 'rights.ts imports nothing'
  if (targetRoom === room) return undefined
  if (targetRoom === 'src/core/wire' && room !== 'bin') return undefined
  if (room === DEPLOY) {
    return isRights(target) ? undefined : `${room} may import the rights.ts of others only, not ${target}`
  }
  if (targetRoom === DEPLOY && INSTALLERS.some((folder) => path.startsWith(folder))) return undefined
  if (room === undefined || targetRoom === undefined || !ROOMS[room]?.includes(targetRoom)) {
    return `${room} may not import ${targetRoom ?? target}`
  }
  if (!typeOnly && TYPES_ONLY[room]?.includes(targetRoom)) {
    return `${room} may import types only from ${targetRoom}`
  }
  if (COMPONENTS.includes(targetRoom) && target !== `${targetRoom}/index.ts`) {
    return `${room} may import index.ts only from ${targetRoom}`
  }
  return undefined
}

/** What is wrong with a file that shall be data importing a package or a module of Node; undefined where nothing is. */
export function dataBreach(path: string, specifier: string): string | undefined {
  const room = roomOf(path)
  // A pod template names the hash of its configuration, so that a change replaces the pods.
  if (room === DEPLOY && !isRights(path) && specifier === 'node:crypto') return undefined
  const isData = isRights(path) || room === 'src/core/wire' || room === DEPLOY
  return isData ? 'data imports no package and nothing of Node' : undefined
}
