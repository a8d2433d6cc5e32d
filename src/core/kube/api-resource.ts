/** A resource type as discovery names it, in one version. */
export interface ApiResource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  /** Plural: `deployments`. */
  readonly resource: string
  readonly singular: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
}

/** `deployments.apps`, `pods`: what errors and completion call a type. */
export function qualifiedName({ resource, group }: Pick<ApiResource, 'resource' | 'group'>): string {
  return group === '' ? resource : `${resource}.${group}`
}

/** The path of a type's objects: all of them, or those of one namespace. */
export function collectionPath(
  { group, version, resource, namespaced }: Omit<ApiResource, 'singular' | 'kind' | 'shortNames'>,
  namespace: string | undefined,
): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const within = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${within}/${resource}`
}
