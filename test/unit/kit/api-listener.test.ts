import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import * as fc from 'fast-check'
import { createListener } from '../../../server/kit/api/listener.ts'
import { createEphemeralPair } from '../../../server/kit/tls/certificate.ts'
import { RenewableTls } from '../../../server/kit/tls/renewable-tls.ts'
import type { KeyPair } from '../../../server/kit/tls/tls-source.ts'
import { type ApiWorld, FRONT_PROXY_NAME, startApiWorld } from '../../kit/aggregated/api-world.ts'
import { CertificateAuthority } from '../../kit/kubernetes/certificates.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { skip } from '../../kit/skip.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'

describe('the listener of the API', () => {
  let world: ApiWorld
  const sockets: Socket[] = []

  beforeEach(async () => {
    world = await startApiWorld()
    world.widgets.put({ name: 'a', namespace: 'shop' })
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await world.stop()
  })

  const plain = async (): Promise<Socket> => {
    const socket = connectPlain(world.port, '127.0.0.1').on('error', () => undefined)
    sockets.push(socket)
    await once(socket, 'connect')
    return socket
  }

  const tls = async (certificate?: KeyPair, localAddress?: string): Promise<TLSSocket> => {
    const socket = connectTls({
      host: '127.0.0.1',
      port: world.port,
      ca: world.serving.certificate,
      servername: 'deckwatch.deckwatch.svc',
      ...(certificate ? { cert: certificate.certificate, key: certificate.key } : {}),
      ...(localAddress === undefined ? {} : { localAddress }),
    }).on('error', () => undefined)
    sockets.push(socket)
    await once(socket, 'secureConnect')
    return socket
  }

  /** Sends bytes over TLS and gives all that comes back. */
  const exchange = async (bytes: string | Uint8Array, certificate?: KeyPair): Promise<string> => {
    const socket = await tls(certificate)
    socket.write(bytes)
    return text(socket).catch(() => '')
  }

  const assertServes = async (): Promise<void> => {
    const root = { user: 'root', groups: ['system:masters'] }
    assert.equal((await world.ask(`${ROOT}/namespaces/shop/widgets/a`, root)).status, 200)
  }

  it('serves on after what is no TLS', async () => {
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\u0016\u0003\u0001\uffff', '\0'.repeat(5000)]) {
      const socket = await plain()
      socket.write(garbage)
      await once(socket.resume(), 'close')
    }
    await assertServes()
  })

  it('serves on after what is no HTTP', async () => {
    for (const garbage of [
      'x'.repeat(1000),
      '\0\0\0\0\r\n\r\n',
      'GET  /  HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ]) {
      assert.match(await exchange(garbage), /^(?:HTTP\/1\.1 4\d\d |$)/, garbage)
    }
    await assertServes()
  })

  it('refuses a request line or headers of a megabyte, and serves on', async () => {
    const long = 'x'.repeat(1024 * 1024)
    assert.match(await exchange(`GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`), /^HTTP\/1\.1 431 /)
    assert.match(await exchange(`GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${long}\r\n\r\n`), /^HTTP\/1\.1 431 /)
    await assertServes()
  })

  it('takes headers as long as callers with many groups have', async () => {
    const groups = Array.from({ length: 1000 }, (_, index) => `organization/team-${index}`)
    assert.equal((await world.ask(`${ROOT}/widgets`, { groups })).status, 200)
    assert.equal(world.cluster.reviews[0]?.groups.length, 1000)
  })

  it('does not wait for a body that nobody wants', async () => {
    const proxy = world.frontProxy.issue({ commonName: FRONT_PROXY_NAME })
    const head =
      `POST ${ROOT}/widgets HTTP/1.1\r\nHost: a\r\nX-Remote-User: jane\r\n` +
      'Content-Length: 1000000000\r\n\r\n'
    assert.match(await exchange(head, proxy), /^HTTP\/1\.1 405 [^]*connection: close/i)
    await assertServes()
  })

  it('serves on before 5,000 connections that never finish their handshake', async function () {
    this.timeout(60_000)
    for (let round = 0; round < 50; round += 1) {
      await Promise.all(Array.from({ length: 100 }, () => plain().catch(() => undefined)))
      if (round % 10 === 0) await assertServes()
    }
    assert.equal(sockets.length, 5000)
    await assertServes()
    const open = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length
    assert.ok(open <= 1100, `${open} are left open`)
  })

  it('serves on before strangers that finish it and then say nothing', async function () {
    this.timeout(60_000)
    for (let round = 0; round < 15; round += 1) await Promise.all(Array.from({ length: 40 }, () => tls()))
    await assertServes()
    const open = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length
    assert.ok(open <= 520, `${open} are left open`)
  })

  it('cuts connections of who has most of them, so that the API server keeps those of its reviews', async function () {
    if (process.platform !== 'linux') skip(this, 'only Linux has all of 127.0.0.0/8')
    this.timeout(60_000)
    const reviews = await tls(undefined, '127.0.0.2')
    for (let round = 0; round < 15; round += 1) await Promise.all(Array.from({ length: 40 }, () => tls()))
    const answer = once(reviews, 'data')
    reviews.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.match(String((await answer)[0]), /^HTTP\/1\.1 200/)
  })

  it('cuts off who sends many requests before the first is answered', async () => {
    let handled = 0
    const listener = createListener({
      address: '127.0.0.1:0',
      tls: new RenewableTls(await createEphemeralPair({ dnsName: 'a', now: Date.now() })),
      log: recordedLog(),
      clock: new ManualClock(),
      handle: () => {
        handled += 1
      },
    })
    const { port } = await listener.listen()
    try {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      sockets.push(socket.on('error', () => undefined))
      await once(socket, 'secureConnect')
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000))
      await once(socket.resume(), 'close')
      assert.equal(handled, 8)
    } finally {
      await listener.close(0)
    }
  })

  it('takes who shows a certificate that makes no sense for a stranger, and says so once a minute', async () => {
    const log = recordedLog()
    const clock = new ManualClock()
    const listener = createListener({
      address: '127.0.0.1:0',
      tls: new RenewableTls(await createEphemeralPair({ dnsName: 'a', now: Date.now() })),
      clients: {
        authorities: () => [],
        onChange: () => undefined,
        trusts: () => {
          throw new Error('unsupported key')
        },
      },
      log,
      clock,
      handle: (_request, response) => response.end('here'),
    })
    const { port } = await listener.listen()
    try {
      const come = async (): Promise<void> => {
        const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
        sockets.push(socket.on('error', () => undefined))
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
        assert.match(await text(socket), /^HTTP\/1\.1 200 [^]*here$/)
      }
      const told = () => log.lines.map(({ level, message, fields }) => [level, message, fields['times']])
      for (let visit = 0; visit < 4; visit += 1) await come()
      const message = 'the certificate of a client makes no sense'
      assert.deepEqual(told(), [['warn', message, 1]])
      await clock.advance(60_000)
      await come()
      assert.deepEqual(told().slice(1), [['warn', message, 4]])
    } finally {
      await listener.close(0)
    }
  })

  it('answers as many requests on one connection as come one after the other', async () => {
    const socket = await tls()
    for (let turn = 0; turn < 20; turn += 1) {
      socket.write('GET /statusz HTTP/1.1\r\nHost: a\r\n\r\n')
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.match(answer.toString(), /^HTTP\/1\.1 200 /)
    }
  })

  it('takes whatever comes as paths, headers and queries: never a crash, never another object', async function () {
    this.timeout(60_000)
    world.cluster.allows = ({ namespace }) => namespace === 'mine'
    world.cluster.namespaces.set('mine', 'uid-mine').set('shop', 'uid-shop')
    world.widgets.put({ name: 'secret', namespace: 'shop', namespaceUid: 'uid-shop', color: 'swordfish' })
    const proxy = world.frontProxy.issue({ commonName: FRONT_PROXY_NAME })
    const piece = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '',
        '%2e%2e',
        '%2f',
        '%2F',
        '%ff',
        '%00',
        '%252f',
        '\\',
        ';',
        'mine',
        'shop',
      ),
      fc.constantFrom(
        'widgets',
        'secret',
        'namespaces',
        'clusterwidgets',
        'watch',
        'apis',
        '%c0%ae',
        '%u002e',
      ),
      fc.stringMatching(/^[!-"$->@-~]{0,10}$/),
    )
    const query = fc.oneof(
      fc.constantFrom(
        '',
        '?watch=1&timeoutSeconds=1',
        '?limit=-1',
        '?fieldSelector=%ff',
        '?continue=e30',
        '?%',
      ),
      fc.stringMatching(/^\?[!-"$-~]{0,30}$/),
    )
    const header = fc.oneof(
      fc.constantFrom(
        'Accept: application/json;as=Table;g=meta.k8s.io;v=v1',
        'Accept: ;;;,,',
        'Accept: */*;q=x',
      ),
      fc.constantFrom(
        'X-Remote-Extra-%: a',
        'X-Remote-Extra-: a',
        'X-Remote-Extra-%ff: \u0080',
        'Expect: 100-continue',
      ),
      fc.constantFrom(
        'Upgrade: websocket\r\nConnection: upgrade',
        'If-None-Match: "',
        'Accept-Encoding: gzip;q=9',
      ),
      fc.stringMatching(/^[A-Za-z-]{1,10}$/).map((name) => `X-${name}: ${name}`),
    )
    const method = fc.constantFrom(
      'GET',
      'GET',
      'GET',
      'GET',
      'POST',
      'HEAD',
      'OPTIONS',
      'TRACE',
      'DELETE',
      'CONNECT',
    )
    await fc.assert(
      fc.asyncProperty(
        method,
        fc.array(piece, { maxLength: 8 }),
        query,
        fc.array(header, { maxLength: 4 }),
        async (verb, pieces, asked, headers) => {
          const path = `${ROOT}/namespaces/mine/${pieces.join('/')}${asked}`
          const lines = ['Host: a', 'X-Remote-User: jane', 'Connection: close', ...headers]
          const answer = await exchange(`${verb} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, proxy)
          assert.doesNotMatch(answer, /swordfish/)
          assert.doesNotMatch(answer, /^HTTP\/1\.1 500/)
        },
      ),
      { numRuns: 300 },
    )
    await assertServes()
  })

  it('shows its new certificate to new connections, and keeps those that are open', async () => {
    await world.stop()
    const renewed = new CertificateAuthority('renewed')
    let pair = renewed.issue({ commonName: 'first', hosts: ['deckwatch.deckwatch.svc'] })
    const listeners = new Set<() => void>()
    world = await startApiWorld({
      serving: renewed,
      tls: {
        current: () => pair,
        onChange: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      },
    })
    const shown = async (): Promise<string | string[] | undefined> => {
      const socket = connectTls({ port: world.port, host: '127.0.0.1', rejectUnauthorized: false })
      sockets.push(socket)
      await once(socket, 'secureConnect')
      return socket.getPeerCertificate().subject.CN
    }
    assert.equal(await shown(), 'first')
    pair = renewed.issue({ commonName: 'second', hosts: ['deckwatch.deckwatch.svc'] })
    for (const listener of listeners) listener()
    assert.equal(await shown(), 'second')
    // What cannot be used is not taken.
    pair = { certificate: 'nonsense', key: 'nonsense' }
    for (const listener of listeners) listener()
    assert.equal(await shown(), 'second')
    assert.match(world.log.lines.at(-1)?.message ?? '', /going on with the old one/)
  })

  it('stops without waiting for connections on which nothing was ever asked', async () => {
    await world.stop()
    // Longer than this test may take.
    world = await startApiWorld({ graceMs: 60_000 })
    const unused = [await tls(), await tls()]
    await world.stop()
    for (const socket of unused) if (!socket.closed) await once(socket.resume(), 'close')
  })

  it('says in time that it stops, lets requests end, and cuts what does not', async () => {
    const idle = await tls()
    const stranded = await tls()
    stranded.write('GET /livez HTTP/1.1\r\nHost: a\r\n')
    await world.stop()
    for (const socket of [idle, stranded]) if (!socket.closed) await once(socket.resume(), 'close')
  })
})
