import { requestJson } from '../../../core/kube/json-request.ts'
import type { RequestIdentity } from '../../../core/kube/status-error.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { PURGE_CONFIG_MAP } from '../../../core/wire/purge.ts'
import type { PurgePorts } from '../../features/deckwatch/purge.ts'

interface ConfigMap {
  readonly metadata: { readonly resourceVersion: string }
  readonly data?: Readonly<Record<string, string>> | null
}

/** The purge feature's view of the companion's namespace. */
export function purgePorts(
  transport: KubeTransport,
  namespace: string,
  identity: RequestIdentity,
): PurgePorts {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${PURGE_CONFIG_MAP}`
  const purpose = (verb: string) => ({
    verb,
    resource: 'configmaps',
    name: PURGE_CONFIG_MAP,
    namespace,
    identity,
  })
  return {
    async read(signal) {
      try {
        const { metadata, data } = await requestJson<ConfigMap>(transport, {
          path,
          purpose: purpose('get'),
          signal,
        })
        return { resourceVersion: metadata.resourceVersion, data: data ?? {} }
      } catch (error) {
        if (error instanceof DeckError && error.status === 404) return undefined
        throw error
      }
    },
    async ask(request, { resourceVersion }, signal) {
      await requestJson(transport, {
        method: 'PATCH',
        path,
        body: { metadata: { resourceVersion }, data: { request: JSON.stringify(request), answer: null } },
        contentType: 'application/merge-patch+json',
        purpose: purpose('patch'),
        signal,
      })
    },
  }
}
