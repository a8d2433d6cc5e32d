import { API_GROUP } from './authorize.ts'
import { API_VERSION } from './request-path.ts'
import type { ServedResource } from './resource.ts'

const SCHEMA_PREFIX = `${API_GROUP.split('.').toReversed().join('.')}.${API_VERSION}`
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** The OpenAPI v3 document of the group: `kubectl explain` finds the kind by its path, then the schema by the kind. */
export function openapiDocument(resources: readonly ServedResource[]): object {
  return {
    openapi: '3.0.0',
    info: { title: API_GROUP, version: API_VERSION },
    paths: Object.fromEntries(resources.flatMap(resourcePaths)),
    components: {
      schemas: {
        ...Object.fromEntries(resources.flatMap(resourceSchemas)),
        [`${META}.ObjectMeta`]: OBJECT_META,
        [`${META}.ListMeta`]: LIST_META,
      },
    },
  }
}

function reference(name: string): object {
  return { $ref: `#/components/schemas/${name}` }
}

function resourcePaths(resource: ServedResource): [string, object][] {
  const { plural, kind, namespaced } = resource
  const root = `/apis/${API_GROUP}/${API_VERSION}`
  const within = namespaced ? `${root}/namespaces/{namespace}` : root
  const namespace = namespaced ? [pathParameter('namespace', 'the namespace of the objects')] : []
  const list = operation(resource, 'list', `${kind}List`)
  return [
    ...(namespaced ? [[`${root}/${plural}`, { get: list, parameters: QUERY_PARAMETERS }] as const] : []),
    [`${within}/${plural}`, { get: list, parameters: [...namespace, ...QUERY_PARAMETERS] }] as const,
    [
      `${within}/${plural}/{name}`,
      {
        get: operation(resource, 'get', kind),
        parameters: [...namespace, pathParameter('name', `the name of the ${kind}`)],
      },
    ] as const,
  ].map(([path, item]): [string, object] => [path, item])
}

function operation({ kind, plural }: ServedResource, action: 'get' | 'list', answer: string): object {
  return {
    description: `${action} ${plural}`,
    responses: {
      '200': {
        description: 'OK',
        content: { 'application/json': { schema: reference(`${SCHEMA_PREFIX}.${answer}`) } },
      },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: API_GROUP, version: API_VERSION, kind },
  }
}

function resourceSchemas({ kind, description, properties }: ServedResource): [string, object][] {
  const groupVersionKind = (name: string): readonly object[] => [
    { group: API_GROUP, version: API_VERSION, kind: name },
  ]
  return [
    [
      `${SCHEMA_PREFIX}.${kind}`,
      {
        type: 'object',
        description,
        properties: {
          ...TYPE_META,
          metadata: {
            description: 'Name, namespace, version and age.',
            allOf: [reference(`${META}.ObjectMeta`)],
          },
          ...properties,
        },
        'x-kubernetes-group-version-kind': groupVersionKind(kind),
      },
    ],
    [
      `${SCHEMA_PREFIX}.${kind}List`,
      {
        type: 'object',
        description: `A list of ${kind} objects.`,
        required: ['items'],
        properties: {
          ...TYPE_META,
          metadata: { description: 'Version of the list.', allOf: [reference(`${META}.ListMeta`)] },
          items: { type: 'array', items: reference(`${SCHEMA_PREFIX}.${kind}`) },
        },
        'x-kubernetes-group-version-kind': groupVersionKind(`${kind}List`),
      },
    ],
  ]
}

const text = (description: string): object => ({ type: 'string', description })

const TYPE_META = {
  apiVersion: text('The version of this representation of the object.'),
  kind: text('The kind of object.'),
}

const OBJECT_META = {
  type: 'object',
  description: 'What every object has.',
  properties: {
    name: text('The name, unique within the namespace.'),
    namespace: text('The namespace; empty for cluster-scoped objects.'),
    uid: text('The identity of the object, made from what it stands for.'),
    resourceVersion: text('The number of the last change; a watch may go on from it.'),
    creationTimestamp: {
      type: 'string',
      format: 'date-time',
      description: 'When it came into being (RFC 3339).',
    },
    labels: { type: 'object', additionalProperties: { type: 'string' }, description: 'Labels.' },
  },
}

const LIST_META = {
  type: 'object',
  description: 'What every list has.',
  properties: {
    resourceVersion: text('The number of the last change that the list holds; a watch may go on from it.'),
    continue: text('Set where the list goes on: the token of the next page.'),
    remainingItemCount: {
      type: 'integer',
      format: 'int64',
      description: 'How many objects follow on further pages.',
    },
  },
}

function pathParameter(name: string, description: string): object {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } }
}

const QUERY_PARAMETERS = Object.entries({
  allowWatchBookmarks: 'boolean',
  continue: 'string',
  fieldSelector: 'string',
  labelSelector: 'string',
  limit: 'integer',
  resourceVersion: 'string',
  resourceVersionMatch: 'string',
  sendInitialEvents: 'boolean',
  sinceTime: 'string',
  timeoutSeconds: 'integer',
  watch: 'boolean',
}).map(([name, type]) => ({ name, in: 'query', schema: { type } }))
