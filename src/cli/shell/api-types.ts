import { builtinResources } from '../../core/kube/api-resources-builtin.ts'
import type { ApiResource } from '../../core/kube/api-resource.ts'
import type { ClusterConnection } from '../../core/kube/connection.ts'
import { discoverResources } from '../../core/kube/discovery.ts'
import type { KubeTransport } from '../../core/kube/transport.ts'
import { findApiResource, similarTypes } from '../../core/kube/type-arguments.ts'
import { DeckError } from '../../core/lib/errors.ts'
import type { Clock } from '../../core/lib/time.ts'
import { clusterCache } from './cluster-cache.ts'

/** How long what a cluster serves is believed, in milliseconds. */
const KEPT_MS = 600_000

/** What finding types stands on. */
export interface ApiTypesOptions {
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** What is written down: what anybody may ask of the cluster. */
interface Entry {
  /** Epoch milliseconds. */
  readonly at: number
  readonly types: readonly ApiResource[]
}

/** The types of one cluster: Kubernetes' own are known, others are asked for and remembered between runs. */
export class ApiTypes {
  readonly #options: ApiTypesOptions
  readonly #builtin = builtinResources()

  constructor(options: ApiTypesOptions) {
    this.#options = options
  }

  /** The type that a word means; a DeckError USAGE names those that it may have meant. */
  async find(text: string): Promise<ApiResource> {
    const known = findApiResource(this.#builtin, text)
    if (known && (!text.includes('.') || isWhole(known, text))) return known
    const remembered = this.#remembered()
    const found = remembered && findApiResource(remembered, text)
    return found ?? this.findAtServer(text)
  }

  /** The type that a word means by the server's own word of now: what is known may be another version's. */
  async findAtServer(text: string): Promise<ApiResource> {
    const types = await this.#discover()
    const found = findApiResource(types, text)
    if (found) return found
    const similar = similarTypes(types, text)
    throw new DeckError('USAGE', `the server has no resource type ${JSON.stringify(text)}`, {
      hint:
        similar.length > 0
          ? `Did you mean ${similar.join(' or ')}? All there are: kubectl api-resources`
          : 'All there are: kubectl api-resources',
    })
  }

  /** All types in the order of discovery; asked for where they are not remembered. */
  async all(): Promise<readonly ApiResource[]> {
    return this.#remembered() ?? this.#discover()
  }

  async #discover(): Promise<readonly ApiResource[]> {
    const { transport, connection, signal, clock } = this.#options
    const types = await discoverResources(transport, connection, signal)
    this.#cache().write({ at: clock.now(), types } satisfies Entry)
    return types
  }

  #remembered(): readonly ApiResource[] | undefined {
    const entry = this.#cache().read() as Partial<Entry> | null | undefined
    if (typeof entry?.at !== 'number' || !Array.isArray(entry.types)) return undefined
    const age = this.#options.clock.now() - entry.at
    return age >= 0 && age < KEPT_MS && entry.types.every(isType) ? entry.types : undefined
  }

  #cache() {
    const { connection, environment } = this.#options
    return clusterCache('types', connection, environment)
  }
}

/** Whether a qualified word names the type's group in full; its beginning may be that of another group too. */
function isWhole(type: ApiResource, text: string): boolean {
  const qualifiers = text.slice(text.indexOf('.') + 1)
  return qualifiers === type.group || qualifiers === `${type.version}.${type.group}`
}

/** Another version may have written the file. */
function isType(value: Partial<Record<keyof ApiResource, unknown>> | null): boolean {
  return (
    typeof value?.group === 'string' &&
    typeof value.version === 'string' &&
    typeof value.resource === 'string' &&
    typeof value.singular === 'string' &&
    typeof value.kind === 'string' &&
    typeof value.namespaced === 'boolean' &&
    Array.isArray(value.shortNames)
  )
}
