import { requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { PEER_AUDIENCE } from './peer-name.ts'

/** A pod's ServiceAccount, as the API server vouches for it. */
export interface PodAccount {
  readonly namespace: string
  readonly account: string
  readonly podName: string
  readonly podUid: string
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean
    readonly audiences?: readonly string[] | null
    readonly user?: {
      readonly username?: string
      readonly extra?: Readonly<Record<string, readonly string[] | undefined>> | null
    }
  }
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

/**
 * Whose token it is; undefined unless it is a ServiceAccount's, for our audience and bound to a pod (KEP-1205): other
 * tokens may have been given away, and those of a pod end with it. DeckError where the API server could not be asked.
 */
export async function reviewToken(
  transport: KubeTransport,
  token: string,
  signal: AbortSignal,
): Promise<PodAccount | undefined> {
  const { status } = await requestJson<TokenReview>(transport, {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [PEER_AUDIENCE] },
    },
    purpose: { verb: 'create', resource: 'tokenreviews.authentication.k8s.io', namespaced: false },
    signal,
  })
  if (status?.authenticated !== true || !status.audiences?.includes(PEER_AUDIENCE)) return undefined
  const [, namespace, account] = SERVICE_ACCOUNT.exec(status.user?.username ?? '') ?? []
  const podName = status.user?.extra?.['authentication.kubernetes.io/pod-name']?.[0]
  const podUid = status.user?.extra?.['authentication.kubernetes.io/pod-uid']?.[0]
  if (!namespace || !account || !podName || !podUid) return undefined
  return { namespace, account, podName, podUid }
}
