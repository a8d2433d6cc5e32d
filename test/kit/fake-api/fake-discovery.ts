import type { FakeRequest } from './fake-faults.ts'
import { FAKE_KINDS, type FakeKind } from './fake-kinds.ts'

/** An answer to a question for the types of the API. */
export interface DiscoveryAnswer {
  readonly contentType: string
  readonly body: object
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']

/** Tells the types of the fake API server, in two answers where those are asked for; undefined for other paths. */
export function fakeDiscovery(
  { path, accept }: FakeRequest,
  aggregated: boolean,
): DiscoveryAnswer | undefined {
  const groups = Map.groupBy(FAKE_KINDS, groupOf)
  if (path === '/api' || path === '/apis') {
    const asked = [...groups].filter(([name]) => (name === '') === (path === '/api'))
    if (aggregated && accept.includes('as=APIGroupDiscoveryList'))
      return { contentType: AGGREGATED, body: groupDiscoveryList(asked) }
    if (path === '/api') return json({ kind: 'APIVersions', versions: ['v1'] })
    const listed = asked.map(([name, kinds]) => {
      const versions = versionsOf(kinds).map((version) => ({ groupVersion: `${name}/${version}`, version }))
      // The preferred one need not stand first.
      return { name, versions: versions.toReversed(), preferredVersion: versions[0] }
    })
    return json({ kind: 'APIGroupList', apiVersion: 'v1', groups: listed })
  }
  const kinds = FAKE_KINDS.filter(({ root }) => root === path)
  if (kinds.length === 0) return undefined
  const resources = kinds.flatMap(({ plural, kind, namespaced, shortNames }) => [
    { name: plural, singularName: kind.toLowerCase(), kind, namespaced, shortNames, verbs: VERBS },
    { name: `${plural}/status`, singularName: '', kind, namespaced, verbs: ['get', 'patch', 'update'] },
  ])
  return json({ kind: 'APIResourceList', groupVersion: kinds[0]?.apiVersion, resources })
}

function json(body: object): DiscoveryAnswer {
  return { contentType: 'application/json', body }
}

function groupDiscoveryList(groups: readonly (readonly [string, readonly FakeKind[]])[]): object {
  const items = groups.map(([name, kinds]) => ({
    metadata: name === '' ? {} : { name },
    versions: versionsOf(kinds).map((version) => ({
      version,
      freshness: 'Current',
      resources: kinds
        .filter((kind) => versionOf(kind) === version)
        .map(({ plural, kind, namespaced, shortNames }) => ({
          resource: plural,
          responseKind: { group: name, version, kind },
          scope: namespaced ? 'Namespaced' : 'Cluster',
          singularResource: kind.toLowerCase(),
          shortNames,
          verbs: VERBS,
          subresources: [{ subresource: 'status', verbs: ['get', 'patch', 'update'] }],
        })),
    })),
  }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
}

function versionsOf(kinds: readonly FakeKind[]): readonly string[] {
  return [...new Set(kinds.map(versionOf))]
}

function groupOf({ apiVersion }: FakeKind): string {
  return apiVersion.split('/').slice(0, -1).join('/')
}

function versionOf({ apiVersion }: FakeKind): string {
  return apiVersion.split('/').at(-1) ?? ''
}
