import { KINDS, pathOf, type KindName } from './kinds.ts'

/** An object as it is sent to the API server. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: KindName
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/**
 * What an object is there for, in the order in which the steps are applied. `api-service` must be held back until the
 * API server has been seen to reach the pods: from then on the whole cluster's discovery asks them.
 */
export type Step =
  | 'namespace'
  | 'accounts'
  | 'rights'
  | 'config'
  | 'storage'
  | 'services'
  | 'workloads'
  | 'policies'
  | 'api-service'

/** One object of an installation. */
export interface Manifest {
  readonly step: Step
  readonly object: KubeObject
  /** Of the object itself, for a server-side apply. */
  readonly path: string
}

/** An object's kind and metadata without what `makeManifest` adds, and its further fields. */
export interface ObjectParts {
  readonly kind: KindName
  readonly name: string
  /** Left out for cluster-scoped kinds. */
  readonly namespace?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, unknown>>
}

/** A manifest with its apiVersion and path. */
export function makeManifest(step: Step, parts: ObjectParts): Manifest {
  const { name, namespace, labels, annotations, fields } = parts
  const kind = KINDS[parts.kind]
  return {
    step,
    path: pathOf(kind, namespace, name),
    object: {
      apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
      kind: parts.kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        labels,
        ...(annotations ? { annotations } : {}),
      },
      ...fields,
    },
  }
}
