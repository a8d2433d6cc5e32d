import { deepEqual } from 'node:assert/strict'
import { podSource } from '../../../src/core/kube/pod-list.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { openWatch } from '../../../src/core/kube/watch-stream.ts'

describe('an open watch', () => {
  it('gives an empty batch for bytes that complete no event, so that its silence can be told', async () => {
    const object = { metadata: { name: 'web', uid: 'u', resourceVersion: '7' } }
    const line = `${JSON.stringify({ type: 'ADDED', object })}\n`
    const transport: KubeTransport = {
      send: async () => ({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: (async function* () {
          yield Buffer.from(line.slice(0, 20))
          yield Buffer.from(line.slice(20, 40))
          yield Buffer.from(line.slice(40))
        })(),
      }),
      close: () => undefined,
    }
    const { signal } = new AbortController()
    const sizes: number[] = []
    const request = { resourceVersion: '1', timeoutSeconds: 240, signal }
    for await (const batch of await openWatch(transport, podSource(), request)) sizes.push(batch.length)
    deepEqual(sizes, [0, 0, 1])
  })
})
