import { collectionPath, qualifiedName } from '../../../core/kube/api-resource.ts'
import type { ClusterConnection } from '../../../core/kube/connection.ts'
import { requestJson } from '../../../core/kube/json-request.ts'
import { listJson } from '../../../core/kube/paged-list.ts'
import type { RequestPurpose } from '../../../core/kube/status-error.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import type { Clock } from '../../../core/lib/time.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { ObjectPorts, ResourceType } from '../../features/blame/ports.ts'

/** What the ports stand on. */
export interface ObjectPortsOptions {
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly clock: Clock
}

/** The blame features' view of a real API server. */
export function objectPorts({ transport, connection, clock }: ObjectPortsOptions): ObjectPorts {
  return {
    getObject: (type, namespace, name, signal) =>
      requestJson<KubernetesObject>(transport, {
        path: objectPath(type, namespace, name),
        purpose: { ...objectPurpose('get', type, namespace, connection), name },
        signal,
      }),
    async *listObjects(type, namespace, { label, field }, signal) {
      const source = {
        path: collectionPath(type, namespace),
        purpose: objectPurpose('list', type, namespace, connection),
        labelSelector: label,
        fieldSelector: field,
      }
      const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`
      for await (const batch of listJson<KubernetesObject>(transport, source, { signal, clock })) {
        // In a list the items of Kubernetes' own types do not say what they are.
        yield batch.map((object) => ({ apiVersion, kind: type.kind, ...object }))
      }
    },
  }
}

/** The path of one object. */
export function objectPath(type: ResourceType, namespace: string | undefined, name: string): string {
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`
}

/** What errors call the objects of a type. */
export function objectPurpose(
  verb: string,
  type: ResourceType,
  namespace: string | undefined,
  identity: ClusterConnection,
): RequestPurpose {
  const { namespaced } = type
  return {
    verb,
    resource: qualifiedName(type),
    namespace: namespaced ? namespace : undefined,
    namespaced,
    identity,
  }
}
