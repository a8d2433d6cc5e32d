import { requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { LeaseObject, LeaseSpec } from './lease-record.ts'

/** Reads and writes one Lease. */
export interface LeaseClient {
  /** Undefined where there is none. */
  read(signal: AbortSignal): Promise<LeaseObject | undefined>
  /** Creates the Lease, or updates exactly the version that was read; undefined where another was quicker. */
  write(
    before: LeaseObject | undefined,
    spec: LeaseSpec,
    signal: AbortSignal,
  ): Promise<LeaseObject | undefined>
}

/** A client of the Lease of that name. */
export function createLeaseClient(transport: KubeTransport, namespace: string, name: string): LeaseClient {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
  const path = `${collection}/${name}`
  const purposeOf = (verb: string) => ({ verb, resource: 'leases.coordination.k8s.io', name, namespace })
  return {
    async read(signal) {
      try {
        return await requestJson<LeaseObject>(transport, { path, purpose: purposeOf('get'), signal })
      } catch (error) {
        if (error instanceof DeckError && error.status === 404) return undefined
        throw error
      }
    },
    async write(before, spec, signal) {
      const created = { metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'deckwatch' } } }
      try {
        return await requestJson<LeaseObject>(transport, {
          method: before ? 'PUT' : 'POST',
          path: before ? path : collection,
          body: {
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            ...(before ?? created),
            spec,
          },
          purpose: purposeOf(before ? 'update' : 'create'),
          signal,
        })
      } catch (error) {
        const lost = error instanceof DeckError && (error.status === 409 || (before && error.status === 404))
        if (lost) return undefined
        throw error
      }
    },
  }
}
