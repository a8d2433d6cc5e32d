import type { PodSlice } from '../wire/pod.ts'
import { type ListEnd, pagedList, type PagedListOptions, type ResourceSource } from './paged-list.ts'
import { podDecoder } from './pod-decode.ts'
import type { RequestPurpose } from './status-error.ts'
import type { KubeTransport } from './transport.ts'

/** Which pods are read. */
export interface PodScope {
  /** All namespaces where left out. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** False reads JSON where the server could send protobuf. */
  readonly protobuf?: boolean | undefined
  /** Who asks, for error messages. */
  readonly identity?: RequestPurpose['identity']
}

/** Pods as `pagedList` and `listWatch` read them. */
export function podSource(scope: PodScope = {}): ResourceSource<PodSlice> {
  const { namespace, identity } = scope
  return {
    path: namespace ? `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods` : '/api/v1/pods',
    purpose: {
      resource: 'pods',
      namespaced: true,
      ...(namespace ? { namespace } : {}),
      ...(identity ? { identity } : {}),
    },
    labelSelector: scope.labelSelector,
    fieldSelector: scope.fieldSelector,
    protobuf: scope.protobuf,
    decoder: podDecoder(),
  }
}

/** Lists pods page by page, in protobuf where the server has it; see `pagedList` for what holds when the list expires. */
export function listPods(
  transport: KubeTransport,
  options: PodScope & PagedListOptions = {},
): AsyncGenerator<readonly PodSlice[], ListEnd> {
  return pagedList(transport, podSource(options), options)
}
