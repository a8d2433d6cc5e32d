import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { apiErrorOf } from '../../../server/kit/api/status.ts'
import { createLeafRoute } from '../../../server/kit/peer/leaf-route.ts'
import type { KubeRequest, KubeTransport } from '../../../src/core/kube/transport.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

/** An API server that takes requests and never answers. */
const silent: KubeTransport = {
  send: ({ signal }: KubeRequest) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    }),
  close: () => undefined,
}

describe('the path of leaves', () => {
  let server: Server

  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  it('does not wait for an API server that never looks at the token', async () => {
    const authority = { issue: () => Promise.reject(new Error('asked for')), bundle: () => '' }
    const rule = { authority, accounts: {} }
    const route = createLeafRoute({
      transport: silent,
      namespace: 'deckwatch',
      profiles: { peer: rule, serving: rule },
      clock: new ManualClock(),
      log: recordedLog(),
      reviewTimeoutMs: 50,
    })
    server = createServer((request, response) => {
      // The client waits for as long as it takes.
      route.handle(request, response, new AbortController().signal).catch((error: unknown) => {
        response.writeHead(apiErrorOf(error).status).end()
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const headers = { authorization: 'Bearer made-up' }
    const asked = httpRequest({ host: '127.0.0.1', port, path: route.path, method: 'POST', headers })
    asked.on('error', () => undefined).end('a request')
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    assert.equal(answer.statusCode, 503)
  })
})
