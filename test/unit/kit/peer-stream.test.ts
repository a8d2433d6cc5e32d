import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import { UnsentBytes } from '../../../server/kit/api/unsent-bytes.ts'
import { PeerStream } from '../../../server/kit/peer/peer-stream.ts'
import type { PeerLine } from '../../../server/kit/peer/peer-wire.ts'

const LIMIT = 1024 * 1024
const STREAMS = 6
const NAME = 'x'.repeat(100_000)
const LINE = { type: 'ADDED', object: { metadata: { name: NAME } } } as unknown as PeerLine

describe('lines to peers', function () {
  this.timeout(60_000)

  it('wait for all of them together within one limit, and one that reads is served meanwhile', async () => {
    const unsent = new UnsentBytes({ unsentBytes: LIMIT, unsentBytesPerUser: LIMIT })
    const responses: ServerResponse[] = []
    const server = createServer((_request, response) => responses.push(response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const connect = async (): Promise<IncomingMessage> => {
      const request = get({ host: '127.0.0.1', port, agent: false })
      const served = responses.length + 1
      while (responses.length < served) await delay(5)
      const response = responses.at(-1)
      assert.ok(response)
      const stream = new PeerStream(response, unsent, { stallMs: 50_000 })
      sending.push(endless(stream))
      const [answer] = (await once(request, 'response')) as [IncomingMessage]
      answer.on('error', () => undefined).pause()
      return answer
    }
    let most = 0
    const endless = async (stream: PeerStream): Promise<void> => {
      while (await stream.send(LINE)) {
        most = Math.max(
          most,
          responses.reduce((sum, { writableLength }) => sum + writableLength, 0),
        )
        await setImmediate()
      }
      stream.end({ type: 'END' })
    }
    const sending: Promise<void>[] = []
    try {
      const standing: IncomingMessage[] = []
      for (let i = 0; i < STREAMS; i += 1) standing.push(await connect())
      // What the sockets themselves take comes first.
      const full = (): boolean =>
        responses.every(({ writableNeedDrain }) => writableNeedDrain) && unsent.waiting > LIMIT / 2
      while (!full()) await delay(20)
      const reading = await connect()
      let read = 0
      for await (const chunk of reading as AsyncIterable<Buffer>) {
        read += chunk.length
        if (read > 3 * LIMIT) break
      }
      // Each finds out with a line that it is too much.
      assert.ok(most <= LIMIT + (STREAMS + 1) * 2 * NAME.length, `${most} bytes waited`)
      for (const answer of [...standing, reading]) answer.destroy()
      await Promise.all(sending)
      assert.equal(unsent.waiting, 0)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
