/** `deployments.apps`: how the join and the store name a resource; of the core group `pods.`. */
export function resourceKey({
  group,
  resource,
}: {
  readonly group: string
  readonly resource: string
}): string {
  return `${resource}.${group}`
}
