import type { ApiResource } from './api-resource.ts'
import { requestJson } from './json-request.ts'
import type { RequestIdentity } from './status-error.ts'
import type { KubeTransport } from './transport.ts'

/** KEP-3352: all types of all groups in two answers; what a server before 1.26 ignores, and answers as it always did. */
const AGGREGATED = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',')

/** Groups of an old server that are asked for at a time. */
const LANES = 8

/** The slice of apidiscovery.k8s.io APIGroupDiscoveryList that is read. */
interface GroupDiscoveryList {
  readonly kind: 'APIGroupDiscoveryList'
  readonly items: readonly {
    readonly metadata?: { readonly name?: string }
    readonly versions?: readonly {
      readonly version: string
      readonly resources?: readonly {
        readonly resource: string
        readonly responseKind?: { readonly kind?: string }
        readonly scope: string
        readonly singularResource?: string
        readonly shortNames?: readonly string[]
        readonly verbs?: readonly string[]
      }[]
    }[]
  }[]
}

/** metav1.APIVersions, of the core group. */
interface ApiVersions {
  readonly kind: 'APIVersions'
  readonly versions: readonly string[]
}

/** metav1.APIGroupList. */
interface ApiGroupList {
  readonly kind: 'APIGroupList'
  readonly groups: readonly {
    readonly name: string
    readonly versions: readonly { readonly version: string }[]
    readonly preferredVersion?: { readonly version: string }
  }[]
}

/** metav1.APIResourceList. */
interface ApiResourceList {
  readonly resources: readonly {
    readonly name: string
    readonly singularName: string
    readonly kind: string
    readonly namespaced: boolean
    readonly shortNames?: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

/**
 * All types that a cluster serves and that can be read, in the order in which kubectl prefers them: the server's order
 * of groups, in each the preferred version first. A group whose own server does not answer is left out.
 */
export async function discoverResources(
  transport: KubeTransport,
  identity: RequestIdentity,
  signal: AbortSignal,
): Promise<readonly ApiResource[]> {
  const purpose = { verb: 'get', resource: 'the types of the API', namespaced: false, identity }
  const ask = <T>(path: string, accept?: string): Promise<T> =>
    requestJson<T>(transport, { path, accept, purpose, signal })
  const [core, groups] = await Promise.all([
    ask<GroupDiscoveryList | ApiVersions>('/api', AGGREGATED),
    ask<GroupDiscoveryList | ApiGroupList>('/apis', AGGREGATED),
  ])
  const one = (group: string, version: string): Promise<readonly ApiResource[]> =>
    ask<ApiResourceList>(group === '' ? `/api/${version}` : `/apis/${group}/${version}`).then(
      (list) => resourcesOf(group, version, list),
      // client-go goes on without a group that fails, too (ErrGroupDiscoveryFailed).
      (): readonly ApiResource[] => {
        signal.throwIfAborted()
        return []
      },
    )
  const coreTypes = isAggregated(core)
    ? aggregatedResources(core)
    : (await Promise.all(core.versions.map((version) => one('', version)))).flat()
  if (isAggregated(groups)) return [...coreTypes, ...aggregatedResources(groups)]
  const versions = groups.groups.flatMap(({ name, versions: all, preferredVersion }) => {
    const preferred = preferredVersion?.version
    const ordered = all.toSorted((a, b) => Number(b.version === preferred) - Number(a.version === preferred))
    return ordered.map(({ version }) => ({ name, version }))
  })
  const found: (readonly ApiResource[])[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    for (let at = next++; at < versions.length; at = next++) {
      const { name = '', version = '' } = versions[at] ?? {}
      found[at] = await one(name, version)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return [...coreTypes, ...found.flat()]
}

function isAggregated(answer: { readonly kind: string }): answer is GroupDiscoveryList {
  return answer.kind === 'APIGroupDiscoveryList'
}

function aggregatedResources({ items }: GroupDiscoveryList): readonly ApiResource[] {
  // The versions of a group come in the order of preference.
  return items.flatMap(({ metadata, versions = [] }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources
        .filter(({ verbs = [] }) => verbs.includes('get') || verbs.includes('list'))
        .map(({ resource, responseKind, scope, singularResource, shortNames = [] }) => {
          const kind = responseKind?.kind ?? ''
          const singular = singularResource || kind.toLowerCase()
          const group = metadata?.name ?? ''
          return { group, version, resource, singular, kind, namespaced: scope === 'Namespaced', shortNames }
        }),
    ),
  )
}

function resourcesOf(group: string, version: string, { resources }: ApiResourceList): readonly ApiResource[] {
  return resources
    .filter(({ name, verbs }) => !name.includes('/') && (verbs.includes('get') || verbs.includes('list')))
    .map(({ name, singularName, kind, namespaced, shortNames = [] }) => {
      // Of Kubernetes' own types only servers since 1.27 tell the singular.
      const singular = singularName || kind.toLowerCase()
      return { group, version, resource: name, singular, kind, namespaced, shortNames }
    })
}
