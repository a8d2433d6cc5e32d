import type { Import } from './read-imports.ts'

/** The way into one third party: where its code may be imported. */
interface Door {
  /** Rooms, folders or single files. */
  readonly at: readonly string[]
  /** Anywhere under this folder its types may be imported. */
  readonly typesIn?: string
}

const DOORS: Readonly<Record<string, Door>> = {
  '@oclif/core': { at: ['src/cli/commands', 'src/cli/shell'] },
  chalk: { at: ['src/cli/render'] },
  'cli-table3': { at: ['src/cli/render'] },
  diff: { at: ['src/core/lib/text-diff.ts'] },
  yaml: { at: ['src/core/lib/yaml.ts'] },
  'node:sqlite': { at: ['server/kit/store'], typesIn: 'server/' },
  kysely: { at: ['server/kit/store'], typesIn: 'server/' },
  pg: { at: ['server/kit/store'] },
  'prom-client': { at: ['server/kit/metrics.ts'], typesIn: 'server/' },
  pino: { at: ['server/kit/log.ts'], typesIn: 'server/' },
  zod: { at: ['server/kit/config'], typesIn: 'server/' },
  '@peculiar/x509': { at: ['server/kit/tls'], typesIn: 'server/' },
}

const CLIENT_NODE = '@kubernetes/client-node'

/** Whether an import is the lazy loading of the Kubernetes client, of which there is one place only. */
export function isClientNodeDoor({ specifier, dynamic }: Import): boolean {
  return dynamic && specifier.startsWith(CLIENT_NODE)
}

/** What is wrong with a file importing a package or a module of Node; undefined where nothing is. */
export function doorBreach(path: string, edge: Import): string | undefined {
  const { specifier, typeOnly } = edge
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (name === CLIENT_NODE) {
    const passes = typeOnly || (isClientNodeDoor(edge) && path.startsWith('src/core/kube/'))
    return passes ? undefined : `${name} is loaded by one lazy door in core/kube only`
  }
  const door = DOORS[name]
  if (!door) return name.startsWith('node:') ? undefined : `${name} is no dependency of the product`
  if (typeOnly && door.typesIn !== undefined && path.startsWith(door.typesIn)) return undefined
  const passes = door.at.some((place) => path === place || path.startsWith(`${place}/`))
  return passes ? undefined : `${name} may be imported in ${door.at.join(', ')} only`
}

/** Every door to the Kubernetes client but the first, said once for all. */
export function clientNodeDoors(doors: readonly string[]): string[] {
  return doors.length > 1 ? [`${CLIENT_NODE} has ${doors.length} doors: ${doors.join(', ')}`] : []
}
