import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { AdmissionRequest } from '../../src/core/wire/admission-review.ts'
import type { ApiClient } from './kubernetes/api-client.ts'
import { CertificateAuthority } from './kubernetes/certificates.ts'
import { ensureNamespace } from './kubernetes/namespaces.ts'

/** A review as it came. */
export interface ReceivedReview {
  readonly path: string
  readonly request: AdmissionRequest
}

/** A webhook that allows everything and keeps what it was asked. */
export interface ReviewReceiver {
  readonly reviews: ReceivedReview[]
  /** What `clientConfig.service` names; an ExternalName, which works without --enable-aggregator-routing only. */
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  /** PEM of who signed its certificate. */
  readonly bundle: string
  stop(): Promise<void>
}

/** Listens on 127.0.0.1, behind a Service of this name that is made in the namespace. */
export async function startReviewReceiver(
  admin: ApiClient,
  namespace: string,
  name: string,
): Promise<ReviewReceiver> {
  const authority = new CertificateAuthority('review-receiver')
  const { certificate: cert, key } = authority.issue({
    commonName: name,
    hosts: [`${name}.${namespace}.svc`],
  })
  const reviews: ReceivedReview[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const review = (await json(request)) as { readonly request: AdmissionRequest }
    reviews.push({ path: (request.url ?? '').split('?')[0] ?? '', request: review.request })
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: review.request.uid, allowed: true },
      }),
    )
  }
  const server = createServer({ cert, key }, (request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await ensureNamespace(admin, namespace)
  await admin.text('POST', `/api/v1/namespaces/${namespace}/services`, {
    metadata: { name },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
  return {
    reviews,
    service: { namespace, name, port },
    bundle: authority.certificate,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
