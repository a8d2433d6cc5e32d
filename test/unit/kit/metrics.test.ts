import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import { createMetricsAuthorizer, type MetricsAuthorizer } from '../../../server/kit/metrics-access.ts'
import { createMetricsListener } from '../../../server/kit/metrics-listener.ts'
import { addProcessMetrics, createMetricsRegistry } from '../../../server/kit/metrics.ts'
import { createEphemeralPair } from '../../../server/kit/tls/certificate.ts'
import { RenewableTls } from '../../../server/kit/tls/renewable-tls.ts'
import type { KubeRequest, KubeTransport } from '../../../src/core/kube/transport.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

function ask(port: number, { path = '/metrics', method = 'GET', token = '', tls = false }): Promise<Answer> {
  const headers = token ? { authorization: `Bearer ${token}` } : {}
  const options = { host: '127.0.0.1', port, path, method, headers, agent: false, rejectUnauthorized: false }
  return new Promise((resolve, reject) => {
    const asked = (tls ? httpsRequest : httpRequest)(options, (response) => {
      const { statusCode: status = 0, headers: answered } = response
      text(response).then((body) => resolve({ status, type: answered['content-type'] ?? '', body }), reject)
    })
    asked.on('error', reject).end()
  })
}

describe('the listener of metrics', () => {
  let stop: AbortController
  let running: Promise<void>

  beforeEach(() => {
    stop = new AbortController()
  })
  afterEach(async () => {
    stop.abort()
    await running
  })

  const serve = async (authorize?: MetricsAuthorizer): Promise<number> => {
    const registry = createMetricsRegistry()
    addProcessMetrics(registry, '1.2.3')
    const tls = new RenewableTls(await createEphemeralPair({ dnsName: 'metrics', now: Date.now() }))
    const listener = createMetricsListener({
      address: '127.0.0.1:0',
      registry,
      log: recordedLog(),
      clock: new ManualClock(),
      ...(authorize ? { auth: { tls, authorize } } : {}),
    })
    running = listener.run(stop.signal)
    return (await listener.listening).port
  }

  it('gives the metrics of the process and its build, all with our prefix', async () => {
    const { status, type, body } = await ask(await serve(), {})
    assert.equal(status, 200)
    assert.match(type, /^text\/plain; version=0\.0\.4/)
    assert.match(body, /^deckwatch_build_info\{version="1\.2\.3",node="v\d+/m)
    assert.match(body, /^deckwatch_process_resident_memory_bytes \d+/m)
    const names = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '')
    assert.ok(names.length > 10)
    assert.deepEqual(
      names.filter((name) => !name.startsWith('deckwatch_')),
      [],
    )
  })

  it('gives nothing else', async () => {
    const port = await serve()
    assert.equal((await ask(port, { path: '/' })).status, 404)
    assert.equal((await ask(port, { path: '/metrics/../x' })).status, 404)
    assert.equal((await ask(port, { method: 'POST' })).status, 405)
    assert.deepEqual((await ask(port, { method: 'HEAD' })).body, '')
    assert.equal((await ask(port, { path: '/metrics?name=x' })).status, 200)
  })

  it('cuts off who sends many requests before the first is answered', async () => {
    const port = await serve()
    const socket = connectPlain(port, '127.0.0.1').on('error', () => undefined)
    socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000))
    const answers = (await text(socket).catch(() => '')).match(/^HTTP\/1\.1 200/gm) ?? []
    assert.ok(answers.length <= 8, `${answers.length} were answered`)
    assert.equal((await ask(port, {})).status, 200)
  })

  it('with authorization keeps a bounded number of connections of whoever they are', async function () {
    this.timeout(60_000)
    const port = await serve(async () => 200)
    const sockets: TLSSocket[] = []
    try {
      for (let round = 0; round < 13; round += 1) {
        await Promise.all(
          Array.from({ length: 40 }, async () => {
            const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
            sockets.push(socket.on('error', () => undefined))
            await once(socket, 'secureConnect')
          }),
        )
      }
      assert.equal((await ask(port, { tls: true, token: 'good' })).status, 200)
      const open = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length
      assert.ok(open <= 510, `${open} are left open`)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })

  it('with authorization gives them by TLS to whom the API server lets, and to nobody while it cannot be asked', async () => {
    const port = await serve(async (token) => {
      if (token === 'away') throw new Error('unreachable')
      if (token === 'guess') throw new ApiError('TooManyRequests', 'too many')
      return token === 'prometheus' ? 200 : token === 'jane' ? 403 : 401
    })
    const answers = await Promise.all(
      ['', 'nobody', 'jane', 'away', 'guess', 'prometheus'].map(async (token) => {
        const { status, body } = await ask(port, { token, tls: true })
        return [status, body.includes('deckwatch_build_info')]
      }),
    )
    assert.deepEqual(answers, [
      [401, false],
      [401, false],
      [403, false],
      [503, false],
      [429, false],
      [200, true],
    ])
    await assert.rejects(ask(port, {}))
  })
})

describe('the right to get metrics', () => {
  const asked: { path: string; body: { spec: Record<string, unknown> } }[] = []
  const clock = new ManualClock()
  const transport = (answers: Readonly<Record<string, unknown>>): KubeTransport => ({
    async send({ path, body }: KubeRequest) {
      asked.push({ path, body: JSON.parse(String(body)) as { spec: Record<string, unknown> } })
      const answer = answers[path.split('/').at(-1) ?? '']
      async function* chunks() {
        yield Buffer.from(JSON.stringify({ status: answer }))
      }
      return { status: answer === undefined ? 503 : 201, headers: {}, body: chunks() }
    },
    close: () => {},
  })
  const user = { username: 'prometheus', uid: '7', groups: ['monitoring'], extra: { scopes: ['a'] } }

  beforeEach(() => {
    asked.length = 0
  })

  it('is the right of whom the token belongs to, asked once a minute', async () => {
    const authorize = createMetricsAuthorizer(
      transport({ tokenreviews: { authenticated: true, user }, subjectaccessreviews: { allowed: true } }),
      clock,
    )
    assert.deepEqual(await Promise.all([authorize('t', 'a'), authorize('t', 'a')]), [200, 200])
    assert.equal(asked.length, 2)
    assert.deepEqual(asked[0]?.body.spec, { token: 't' })
    assert.deepEqual(asked[1]?.body.spec, {
      user: 'prometheus',
      uid: '7',
      groups: ['monitoring'],
      extra: { scopes: ['a'] },
      nonResourceAttributes: { path: '/metrics', verb: 'get' },
    })
    await clock.advance(60_000)
    await authorize('t', 'a')
    assert.equal(asked.length, 4)
  })

  it('is not there without the right, for a bad token, or while the API server does not say', async () => {
    const denied = createMetricsAuthorizer(
      transport({ tokenreviews: { authenticated: true, user }, subjectaccessreviews: { allowed: false } }),
      clock,
    )
    assert.equal(await denied('t', 'a'), 403)
    const unknown = createMetricsAuthorizer(transport({ tokenreviews: { authenticated: false } }), clock)
    assert.equal(await unknown('t', 'a'), 401)
    const away = createMetricsAuthorizer(transport({ tokenreviews: { authenticated: true, user } }), clock)
    await assert.rejects(away('t', 'a'), /subjectaccessreviews/)
    await assert.rejects(away('t', 'a'), /subjectaccessreviews/)
  })

  it('is asked for no token that is too long to be one, and for few new ones of an address at a time', async () => {
    const authorize = createMetricsAuthorizer(
      transport({ tokenreviews: { authenticated: true, user }, subjectaccessreviews: { allowed: true } }),
      clock,
    )
    assert.equal(await authorize('x'.repeat(8193), 'a'), 401)
    assert.equal(asked.length, 0)
    await authorize('prometheus', 'b')
    const guesses = Array.from({ length: 200 }, (_, index) => authorize(`guess-${index}`, 'a'))
    const ends = await Promise.allSettled(guesses)
    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 10)
    await assert.rejects(authorize('another', 'a'), (error: ApiError) => error.reason === 'TooManyRequests')
    // What was known stays so, for whoever shows it, and another address has its own share.
    const before = asked.length
    assert.equal(await authorize('prometheus', 'a'), 200)
    assert.equal(asked.length, before)
    assert.equal(await authorize('another', 'b'), 200)
    await clock.advance(2000)
    assert.equal(await authorize('another one', 'a'), 200)
  })
})
