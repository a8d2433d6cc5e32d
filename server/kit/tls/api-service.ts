import type { Watched } from '../../../src/core/kube/watch-frame.ts'

/** The collection of APIServices. */
export const API_SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices'

/** What is read of an APIService (apiregistration.k8s.io/v1). */
export interface ApiServiceSlice extends Watched {
  /** Base64 of PEM; empty where none is set. */
  readonly caBundle: string
  /** Of the Service it points to; empty where it points to none. */
  readonly namespace: string
}

/** An APIService from its JSON. */
export function apiServiceFromJson(value: unknown): ApiServiceSlice {
  const { metadata, spec } = value as {
    readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string }
    readonly spec?: { readonly caBundle?: string; readonly service?: { readonly namespace?: string } | null }
  }
  return {
    uid: metadata?.uid ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    caBundle: spec?.caBundle ?? '',
    namespace: spec?.service?.namespace ?? '',
  }
}
