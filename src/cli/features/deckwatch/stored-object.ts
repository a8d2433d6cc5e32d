/** An object of the API server; what stands beside its metadata is read by those who know its kind. */
export interface StoredObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: StoredMetadata
  readonly [field: string]: unknown
}

/** The slice of an object's metadata that is read here. */
export interface StoredMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[]
}

/** One entry of an object's `status.conditions`. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

/** A field of an object as the type that its kind gives it. */
export function fieldOf<T>(object: StoredObject | undefined, name: 'spec' | 'status'): Partial<T> {
  return object?.[name] ?? {}
}

/** The condition of this type, where the object has one. */
export function conditionOf(object: StoredObject | undefined, type: string): Condition | undefined {
  return fieldOf<{ conditions: readonly Condition[] }>(object, 'status').conditions?.find(
    (condition) => condition.type === type,
  )
}
