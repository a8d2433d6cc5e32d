import { randomBytes } from 'node:crypto'
import type { ApiClient } from './kubernetes/api-client.ts'

/**
 * A ServiceAccount's token of audience `deckwatch-peer` that is bound to a pod, as the kubelet projects it. The pod is
 * made for it; it is never scheduled.
 */
export async function podToken(admin: ApiClient, namespace: string, account: string): Promise<string> {
  const name = `${account}-${randomBytes(4).toString('hex')}`
  const container = {
    name: 'deckwatch',
    image: 'deckwatch.example/companion:kit',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  }
  const pod = await admin.send<{ metadata: { uid: string } }>(
    'POST',
    `/api/v1/namespaces/${namespace}/pods`,
    {
      metadata: { name },
      spec: {
        serviceAccountName: account,
        schedulerName: 'nobody',
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65_532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [container],
      },
    },
  )
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
  const { status } = await admin.send<{ status: { token: string } }>('POST', path, {
    spec: {
      audiences: ['deckwatch-peer'],
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata.uid },
    },
  })
  return status.token
}
