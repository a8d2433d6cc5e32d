/** The slice of an admission.k8s.io/v1 AdmissionReview's request that the audit log reads. */
export interface AdmissionRequest {
  /** Of one round trip to the webhook, not of the user's request: it cannot join retries. */
  readonly uid: string
  readonly kind: GroupVersionKind
  readonly resource: GroupVersionResource
  readonly subResource?: string
  readonly requestKind?: GroupVersionKind
  readonly requestResource?: GroupVersionResource
  readonly requestSubResource?: string
  /** Empty for deletecollection. */
  readonly name?: string
  readonly namespace?: string
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly userInfo: {
    readonly username?: string
    readonly uid?: string
    readonly groups?: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  readonly object?: KubernetesObject | null
  readonly oldObject?: KubernetesObject | null
  readonly dryRun?: boolean
  readonly options?: { readonly fieldManager?: string } & Readonly<Record<string, unknown>>
}

/** meta/v1 GroupVersionKind. */
export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** meta/v1 GroupVersionResource. */
export interface GroupVersionResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** One owner of fields (meta/v1 ManagedFieldsEntry). */
export interface ManagedFieldsEntry {
  readonly manager?: string
  readonly operation?: string
  readonly apiVersion?: string
  /** RFC 3339; may be missing or null. */
  readonly time?: string | null
  readonly fieldsType?: string
  readonly fieldsV1?: Readonly<Record<string, unknown>> | null
  readonly subresource?: string
}

/** Any object of Kubernetes as JSON; `metadata` is what is read of all of them. */
export interface KubernetesObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: {
    readonly name?: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly generation?: number
    readonly creationTimestamp?: string | null
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>> | null
    readonly annotations?: Readonly<Record<string, string>> | null
    readonly ownerReferences?: readonly {
      readonly apiVersion: string
      readonly kind: string
      readonly name: string
      readonly uid: string
      readonly controller?: boolean
    }[]
    readonly finalizers?: readonly string[]
    readonly managedFields?: readonly ManagedFieldsEntry[] | null
  } & Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}
