import { requestJson } from '../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import type { AuditLogConfig, RecordedResource } from './config.ts'
import {
  type AuditedName,
  type DiscoveredResource,
  parseAuditedName,
  recordedResources,
} from './recorded-resources.ts'

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

interface DefinitionList {
  readonly items?: readonly {
    readonly spec: {
      readonly versions: readonly {
        readonly name: string
        readonly subresources?: { readonly scale?: { readonly specReplicasPath: string } }
      }[]
    }
  }[]
}

interface ApiResourceList {
  readonly resources?: readonly {
    readonly name: string
    readonly kind: string
    readonly namespaced: boolean
  }[]
}

/**
 * What is to be recorded: the built-in resources, and those of the options as far as the cluster serves them now, by its
 * discovery (meta/v1 APIResourceList). Rejects as requests do.
 */
export async function discoverRecorded(
  transport: KubeTransport,
  config: Pick<AuditLogConfig, 'auditResources' | 'auditWatchSecrets'>,
  signal: AbortSignal,
): Promise<readonly RecordedResource[]> {
  const names = config.auditResources.map(parseAuditedName).filter((name) => name !== undefined)
  const paths = [...new Set(names.map(pathOf))]
  const lists = await Promise.all(
    paths.map(async (path) => [path, await readList(transport, path, signal)] as const),
  )
  const byPath = new Map(lists)
  const found = await Promise.all(
    names.map(async (name) => {
      const resource = discovered(byPath.get(pathOf(name)), name)
      const replicas = resource?.subresources.includes('scale')
        ? await replicasPath(transport, name, signal)
        : undefined
      return [keyOf(name), resource && replicas ? { ...resource, replicas } : resource] as const
    }),
  )
  const byKey = new Map(found)
  return recordedResources(config, (name) => byKey.get(keyOf(name)))
}

/** Where a custom resource keeps the number that is scaled; undefined where that is spec.replicas, or none is defined. */
async function replicasPath(
  transport: KubeTransport,
  { resource, version, group }: AuditedName,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const fieldSelector = encodeURIComponent(`metadata.name=${resource}.${group}`)
  const { items = [] } = await requestJson<DefinitionList>(transport, {
    path: `${DEFINITIONS}?fieldSelector=${fieldSelector}`,
    purpose: { verb: 'list', resource: 'customresourcedefinitions.apiextensions.k8s.io', namespaced: false },
    signal,
  })
  const defined = items[0]?.spec.versions.find(({ name }) => name === version)
  const path = defined?.subresources?.scale?.specReplicasPath ?? '.spec.replicas'
  // The API server takes keys joined by dots only (apiextensions/v1, CustomResourceSubresourceScale).
  return path === '.spec.replicas' ? undefined : path.split('.').slice(1)
}

function keyOf({ resource, version, group }: AuditedName): string {
  return `${resource}.${version}.${group}`
}

function discovered(
  list: ApiResourceList | undefined,
  { resource }: AuditedName,
): DiscoveredResource | undefined {
  const found = list?.resources?.find(({ name }) => name === resource)
  if (!found) return undefined
  const prefix = `${resource}/`
  const subresources = (list?.resources ?? [])
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length))
  return { kind: found.kind, namespaced: found.namespaced, subresources }
}

async function readList(
  transport: KubeTransport,
  path: string,
  signal: AbortSignal,
): Promise<ApiResourceList | undefined> {
  try {
    return await requestJson<ApiResourceList>(transport, {
      path,
      purpose: { verb: 'get', resource: 'the resources of an API group', namespaced: false },
      signal,
    })
  } catch (error) {
    // A definition that was not made yet, or is gone.
    if (error instanceof DeckError && error.status === 404) return undefined
    throw error
  }
}

function pathOf({ group, version }: AuditedName): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}
