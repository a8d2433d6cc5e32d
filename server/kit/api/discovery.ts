import { createHash } from 'node:crypto'
import { ApiError } from './api-error.ts'
import { API_GROUP } from './authorize.ts'
import { mediaRanges, takesJson } from './negotiate.ts'
import { openapiDocument } from './openapi.ts'
import { API_VERSION } from './request-path.ts'
import type { ServedResource } from './resource.ts'

/** One text that is answered to everybody, computed once. */
export interface Document {
  readonly body: Buffer
  readonly contentType: string
  /** Quoted, as HTTP wants it. */
  readonly etag: string
}

/** The path of everything that is served of the group. */
const GROUP_PATH = `/apis/${API_GROUP}/${API_VERSION}`

/** Only these: with `delete` the namespace controller would send DELETE and LIST for every namespace that ends. */
const VERBS = ['get', 'list', 'watch'] as const

const AGGREGATED_VERSIONS = ['v2', 'v2beta1'] as const

/**
 * What kube-apiserver and clients ask to learn what there is: discovery (old and aggregated) and OpenAPI. The answer
 * to GROUP_PATH is the health check of the whole group, so all of it is made here and nothing can fail later.
 */
export function createDocuments(
  resources: readonly ServedResource[],
): (path: string, accept: string | undefined) => Document | undefined {
  const openapi = document(openapiDocument(resources))
  const openapiPath = `/openapi/v3${GROUP_PATH}`
  const plain = new Map<string, Document>([
    ['/apis', document({ kind: 'APIGroupList', apiVersion: 'v1', groups: [group()] })],
    [`/apis/${API_GROUP}`, document({ kind: 'APIGroup', apiVersion: 'v1', ...group() })],
    [GROUP_PATH, document(resourceList(resources))],
    [
      '/openapi/v3',
      document({
        paths: {
          [GROUP_PATH.slice(1)]: { serverRelativeURL: `${openapiPath}?hash=${openapi.etag.slice(1, -1)}` },
        },
      }),
    ],
    [openapiPath, openapi],
    // Without it the API server complains in its log once a minute.
    [
      '/openapi/v2',
      document({
        swagger: '2.0',
        info: { title: API_GROUP, version: API_VERSION },
        paths: {},
        definitions: {},
      }),
    ],
  ])
  const aggregated = new Map(
    AGGREGATED_VERSIONS.map((version) => [
      version as string,
      document(
        groupDiscovery(resources, version),
        `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      ),
    ]),
  )
  return (path, accept) => {
    if (path !== '/apis') return plain.get(path)
    for (const range of mediaRanges(accept)) {
      if (!takesJson(range)) continue
      const { as, g: apiGroup, v: version = '' } = range.parameters
      if (as === undefined) return plain.get(path)
      if (as === 'APIGroupDiscoveryList' && apiGroup === 'apidiscovery.k8s.io') {
        const found = aggregated.get(version)
        if (found) return found
      }
    }
    throw new ApiError('NotAcceptable', 'only the following media types are accepted: application/json')
  }
}

function document(content: unknown, contentType = 'application/json'): Document {
  const body = Buffer.from(JSON.stringify(content))
  return { body, contentType, etag: `"${createHash('sha256').update(body).digest('hex')}"` }
}

function group(): object {
  const version = { groupVersion: `${API_GROUP}/${API_VERSION}`, version: API_VERSION }
  return { name: API_GROUP, versions: [version], preferredVersion: version }
}

function resourceList(resources: readonly ServedResource[]): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${API_GROUP}/${API_VERSION}`,
    resources: resources.map(({ plural, singular, kind, namespaced, shortNames }) => ({
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs: VERBS,
      ...(shortNames.length > 0 ? { shortNames } : {}),
    })),
  }
}

function groupDiscovery(resources: readonly ServedResource[], version: string): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: [
      {
        metadata: { name: API_GROUP },
        versions: [
          {
            version: API_VERSION,
            freshness: 'Current',
            resources: resources.map(({ plural, singular, kind, namespaced, shortNames }) => ({
              resource: plural,
              responseKind: { group: API_GROUP, version: API_VERSION, kind },
              scope: namespaced ? 'Namespaced' : 'Cluster',
              singularResource: singular,
              verbs: VERBS,
              ...(shortNames.length > 0 ? { shortNames } : {}),
            })),
          },
        ],
      },
    ],
  }
}
