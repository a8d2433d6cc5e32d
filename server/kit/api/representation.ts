import type { Form, IncludeObject, MetaVersion } from './negotiate.ts'
import { API_GROUP } from './authorize.ts'
import { API_VERSION } from './request-path.ts'
import type { ListPage, ServedObject, ServedResource } from './resource.ts'

/** Marks the bookmark that ends what was there at the beginning of a watch (KEP-3157). */
const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' } as const

/** The text of one object in the form that was asked for. */
export function objectText(resource: ServedResource, object: ServedObject, form: Form, now: number): string {
  switch (form.kind) {
    case 'object':
      return JSON.stringify(object)
    case 'metadata':
      return partialText(object, form.version)
    case 'table':
      return tableText(
        form.version,
        { resourceVersion: object.metadata.resourceVersion },
        columnsText(resource),
        rowText(resource, object, form, now),
      )
    default:
      return form satisfies never
  }
}

/** The text of a page of a list in the form that was asked for. */
export function listText(resource: ServedResource, page: ListPage, form: Form, now: number): string {
  const metadata = {
    resourceVersion: page.resourceVersion,
    ...(page.continue === '' ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  }
  switch (form.kind) {
    case 'object': {
      const head = JSON.stringify({
        kind: `${resource.kind}List`,
        apiVersion: `${API_GROUP}/${API_VERSION}`,
        metadata,
        ...page.extra,
      })
      return `${head.slice(0, -1)},"items":[${page.items.map((object) => JSON.stringify(object)).join(',')}]}`
    }
    case 'metadata': {
      const items = page.items.map((object) => partialText(object, form.version)).join(',')
      return (
        `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${form.version}",` +
        `"metadata":${JSON.stringify(metadata)},"items":[${items}]}`
      )
    }
    case 'table': {
      const rows = page.items.map((object) => rowText(resource, object, form, now)).join(',')
      return tableText(form.version, metadata, columnsText(resource), rows)
    }
    default:
      return form satisfies never
  }
}

/**
 * The text of an object in a watch event. A Table has its columns in the stream's first event only, so that all other
 * events are the same for every watcher.
 */
export function eventObjectText(
  resource: ServedResource,
  object: ServedObject,
  form: Form,
  { now, first }: { readonly now: number; readonly first: boolean },
): string {
  if (form.kind !== 'table' || first) return objectText(resource, object, form, now)
  const { resourceVersion } = object.metadata
  return tableText(form.version, { resourceVersion }, 'null', rowText(resource, object, form, now))
}

/** The text of a bookmark's object. */
export function bookmarkText(
  resource: ServedResource,
  resourceVersion: string,
  form: Form,
  { initialEnd, first }: { readonly initialEnd: boolean; readonly first: boolean },
): string {
  const metadata = {
    resourceVersion,
    creationTimestamp: null,
    ...(initialEnd ? { annotations: INITIAL_EVENTS_END } : {}),
  }
  switch (form.kind) {
    case 'object':
      return JSON.stringify({ kind: resource.kind, apiVersion: `${API_GROUP}/${API_VERSION}`, metadata })
    case 'metadata':
      return JSON.stringify({
        kind: 'PartialObjectMetadata',
        apiVersion: `meta.k8s.io/${form.version}`,
        metadata,
      })
    case 'table': {
      // A Table's own metadata has no annotations: kube-apiserver too puts them into a row of an empty object.
      const row = {
        cells: resource.columns.map(() => ''),
        object: { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.version}`, metadata },
      }
      return tableText(
        form.version,
        { resourceVersion },
        first ? columnsText(resource) : 'null',
        initialEnd ? JSON.stringify(row) : '',
      )
    }
    default:
      return form satisfies never
  }
}

function partialText({ metadata }: ServedObject, version: MetaVersion): string {
  return (
    `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}",` +
    `"metadata":${JSON.stringify(metadata)}}`
  )
}

function tableText(version: MetaVersion, metadata: object, columns: string, rows: string): string {
  return (
    `{"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)},` +
    `"columnDefinitions":${columns},"rows":[${rows}]}`
  )
}

function columnsText({ columns }: ServedResource): string {
  return JSON.stringify(
    columns.map(({ name, type, format = '', description, priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
  )
}

function rowText(
  { columns }: ServedResource,
  object: ServedObject,
  { version, includeObject }: { readonly version: MetaVersion; readonly includeObject: IncludeObject },
  now: number,
): string {
  const cells = JSON.stringify(columns.map(({ cell }) => cell(object, now)))
  return `{"cells":${cells}${includedText(object, version, includeObject)}}`
}

function includedText(object: ServedObject, version: MetaVersion, include: IncludeObject): string {
  switch (include) {
    case 'None':
      return ''
    case 'Metadata':
      return `,"object":${partialText(object, version)}`
    case 'Object':
      return `,"object":${JSON.stringify(object)}`
    default:
      return include satisfies never
  }
}
