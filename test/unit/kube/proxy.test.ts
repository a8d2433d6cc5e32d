import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { transportOptions } from '../../../src/core/kube/connect.ts'
import type { ConnectionOverrides } from '../../../src/core/kube/connection.ts'
import { processEnvironment } from '../../../src/core/kube/connection.ts'
import { createHttpsTransport } from '../../../src/core/kube/https-transport.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { proxyFor, proxyName } from '../../../src/core/kube/proxy.ts'
import { readAll } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { ErrorCode } from '../../../src/core/lib/errors.ts'
import { startContractServers } from './contract-servers.ts'
import type { ContractServers, Echo } from './contract-servers.ts'
import { makeCertificates } from './openssl-certificates.ts'
import type { Certificates } from './openssl-certificates.ts'
import { startHttpProxy, startHttpsProxy, startSocksProxy } from './small-proxies.ts'
import type { SmallProxy } from './small-proxies.ts'

describe('which proxy a server is reached through', () => {
  const P = 'http://proxy.test:3128'
  const through = (
    server: string,
    variables: Record<string, string>,
    proxyUrl?: string,
  ): string | undefined => proxyFor(new URL(server), proxyUrl, variables)?.href

  it('is HTTPS_PROXY for https and HTTP_PROXY for http, upper case first', () => {
    equal(through('https://kube.test', { HTTPS_PROXY: P }), `${P}/`)
    equal(through('http://kube.test', { HTTPS_PROXY: P }), undefined)
    equal(through('http://kube.test', { http_proxy: P }), `${P}/`)
    equal(through('https://kube.test', { https_proxy: 'http://lower.test', HTTPS_PROXY: P }), `${P}/`)
    equal(through('https://kube.test', { https_proxy: P, HTTPS_PROXY: '' }), `${P}/`)
  })

  it('is plain http where no scheme is written', () => {
    equal(through('https://kube.test', { HTTPS_PROXY: 'proxy.test:3128' }), `${P}/`)
    equal(through('https://kube.test', { HTTPS_PROXY: 'proxy.test' }), 'http://proxy.test/')
  })

  it('is the kubeconfig’s own before all, whatever NO_PROXY says', () => {
    equal(
      through('https://127.0.0.1', { NO_PROXY: '*', HTTPS_PROXY: P }, 'socks5://s.test:1080'),
      'socks5://s.test:1080',
    )
  })

  it('is none for loopback from the environment', () => {
    for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '[::1]', '[::ffff:127.0.0.1]']) {
      equal(through(`https://${host}:6443`, { HTTPS_PROXY: P }), undefined, host)
    }
    equal(through('https://127.example.org', { HTTPS_PROXY: P }), `${P}/`)
  })

  // Rules and cases of golang.org/x/net/http/httpproxy.
  for (const [noProxy, server, proxied] of [
    ['', 'https://kube.test', true],
    ['*', 'https://kube.test', false],
    ['other.test', 'https://kube.test', true],
    ['kube.test', 'https://kube.test', false],
    ['KUBE.test', 'https://Kube.TEST', false],
    ['kube.test', 'https://api.kube.test', false],
    ['kube.test', 'https://mykube.test', true],
    ['.kube.test', 'https://api.kube.test', false],
    ['.kube.test', 'https://kube.test', true],
    ['*.kube.test', 'https://api.kube.test', false],
    ['*.kube.test', 'https://kube.test', true],
    ['a.test, kube.test ,b.test', 'https://kube.test', false],
    ['kube.test:6443', 'https://kube.test:6443', false],
    ['kube.test:6443', 'https://kube.test:7443', true],
    ['kube.test:443', 'https://kube.test', false],
    ['10.0.0.1', 'https://10.0.0.1:6443', false],
    ['10.0.0.1:6443', 'https://10.0.0.1:6443', false],
    ['10.0.0.1:80', 'https://10.0.0.1:6443', true],
    ['10.0.0.0/8', 'https://10.9.8.7', false],
    ['10.0.0.0/8', 'https://11.9.8.7', true],
    ['10.0.0.0/8', 'https://ten.test', true],
    ['10.0.0.0/99', 'https://10.9.8.7', true],
    ['0.0.1', 'https://10.0.0.1', true],
    ['fd00::/8', 'https://[fd00::12]', false],
    ['fd00::12', 'https://[fd00::12]:6443', false],
    ['[fd00::12]:6443', 'https://[fd00::12]:6443', false],
    ['[fd00::12]:80', 'https://[fd00::12]:6443', true],
    [',,', 'https://kube.test', true],
    [':6443', 'https://kube.test:6443', true],
  ] as const) {
    it(`NO_PROXY=${JSON.stringify(noProxy)} ${proxied ? 'leaves' : 'takes'} ${server} ${proxied ? 'to' : 'from'} the proxy`, () => {
      equal(through(server, { HTTPS_PROXY: P, no_proxy: noProxy }) !== undefined, proxied)
    })
  }

  it('is shown without its login', () => {
    equal(proxyName(new URL('http://me:hunter2@proxy.test:3128/')), 'http://proxy.test:3128')
  })
})

describe('a request through a proxy', () => {
  let certificates: Certificates
  let servers: ContractServers
  const proxies: SmallProxy[] = []

  before(async function () {
    certificates = await makeCertificates(this)
    servers = await startContractServers(certificates)
  })
  afterEach(async () => {
    for (const running of proxies.splice(0)) await running.stop()
  })
  after(async () => {
    await servers?.stop()
    await certificates?.remove()
  })

  async function proxy(started: Promise<SmallProxy>): Promise<SmallProxy> {
    const running = await started
    proxies.push(running)
    return running
  }

  /** The server under a name that only the proxy knows. */
  const behind = (url: string): string => url.replace('127.0.0.1', 'kube.test')

  async function send(
    variables: Record<string, string>,
    overrides: ConnectionOverrides = {},
    proxyUrl?: string,
  ): Promise<Echo> {
    const environment = { ...processEnvironment(), variables, home: undefined }
    const connection = await loadConnection(
      {
        server: behind(servers.tls),
        certificateAuthority: certificates.path('ca.crt'),
        clientCertificate: certificates.path('alice.crt'),
        clientKey: certificates.path('alice.key'),
        ...overrides,
      },
      environment,
    )
    const transport = createHttpsTransport(
      await transportOptions({ ...connection, proxyUrl }, { environment }),
    )
    try {
      const response = await transport.send({ path: '/through' })
      return JSON.parse(Buffer.from(await readAll(response.body)).toString('utf8')) as Echo
    } finally {
      transport.close()
    }
  }

  async function fails(
    work: Promise<unknown>,
    code: ErrorCode,
    message: RegExp,
    hint?: RegExp,
  ): Promise<void> {
    await rejects(work, (error: unknown) => {
      ok(error instanceof DeckError, String(error))
      equal(error.code, code, error.message)
      match(error.message, message)
      if (hint) match(error.hint ?? '', hint)
      ok(!`${error.message}${error.hint}`.includes('hunter2'))
      return true
    })
  }

  it('keeps TLS and the client certificate to the server itself', async () => {
    const { url, asked } = await proxy(startHttpProxy())
    const echo = await send({ HTTPS_PROXY: url })
    deepEqual([echo.url, echo.client], ['/through', 'alice'])
    deepEqual(asked, [new URL(behind(servers.tls)).host])
  })

  it('to an http server goes by name to a proxy that makes no tunnels, as Go sends it', async () => {
    const { url, asked } = await proxy(startHttpProxy({ refuses: 405, login: 'me:hun ter2' }))
    const server = behind(servers.plain)
    const echo = await send({ HTTP_PROXY: url.replace('//', '//me:hun%20ter2@') }, { server })
    equal(echo.url, '/through')
    deepEqual(asked, [`me:hun ter2@GET ${server}/through`])
    equal(echo.headers[echo.headers.indexOf('host') + 1], new URL(server).host)
    await fails(send({ HTTP_PROXY: url }, { server }), 'KUBE_UNREACHABLE', /wants a login \(407\)/)
  })

  it('to an http server goes through a tunnel of a SOCKS5 proxy', async () => {
    const { url, asked } = await proxy(startSocksProxy())
    equal((await send({}, { server: behind(servers.plain) }, url)).url, '/through')
    deepEqual(asked, [new URL(behind(servers.plain)).host])
  })

  it('logs in at the proxy', async () => {
    const { url, asked } = await proxy(startHttpProxy({ login: 'me:hun ter2' }))
    const withLogin = url.replace('//', '//me:hun%20ter2@')
    equal((await send({ HTTPS_PROXY: withLogin })).client, 'alice')
    deepEqual(asked, [`me:hun ter2@${new URL(behind(servers.tls)).host}`])
  })

  it('may speak TLS with the proxy', async () => {
    const { url, asked } = await proxy(startHttpsProxy(certificates))
    equal((await send({}, {}, url)).client, 'alice')
    equal(asked.length, 1)
  })

  it('may go by SOCKS5, which resolves the name', async () => {
    const { url, asked } = await proxy(startSocksProxy())
    equal((await send({}, {}, url)).client, 'alice')
    equal((await send({}, { server: servers.tls }, url)).client, 'alice')
    deepEqual(asked, [new URL(behind(servers.tls)).host, new URL(servers.tls).host])
  })

  it('may log in at a SOCKS5 proxy', async () => {
    const { url, asked } = await proxy(startSocksProxy({ login: 'me:secret' }))
    equal((await send({ HTTPS_PROXY: url.replace('//', '//me:secret@') })).client, 'alice')
    match(asked[0] ?? '', /^me:secret@kube\.test:/)
  })

  it('names the proxy that wants a login, or another one', async () => {
    const { url } = await proxy(startHttpProxy({ login: 'me:right' }))
    await fails(send({ HTTPS_PROXY: url }), 'KUBE_UNREACHABLE', /wants a login \(407\)/, /USER:PASSWORD@/)
    await fails(
      send({ HTTPS_PROXY: url.replace('//', '//me:hunter2@') }),
      'KUBE_UNREACHABLE',
      /wants a login/,
    )
    const socks = await proxy(startSocksProxy({ login: 'me:right' }))
    await fails(send({ HTTPS_PROXY: socks.url }), 'KUBE_UNREACHABLE', /wants a login|does not answer/)
    await fails(
      send({ HTTPS_PROXY: socks.url.replace('//', '//me:hunter2@') }),
      'KUBE_UNREACHABLE',
      /did not accept the login/,
    )
  })

  it('names the proxy that refuses, and where to', async () => {
    const { url } = await proxy(startHttpProxy({ refuses: 503 }))
    await fails(
      send({ HTTPS_PROXY: url }),
      'KUBE_UNREACHABLE',
      /the proxy http:\/\/127\.0\.0\.1:\d+ refused to connect to kube\.test:\d+ \(503\)/,
      /NO_PROXY/,
    )
    const socks = await proxy(startSocksProxy({ refuses: 5 }))
    await fails(
      send({ HTTPS_PROXY: socks.url }),
      'KUBE_UNREACHABLE',
      /could not connect to kube\.test:\d+ \(SOCKS reply 5\)/,
    )
  })

  it('names the proxy that is not there', async () => {
    await fails(
      send({ HTTPS_PROXY: servers.closed.replace('https://', 'http://me:hunter2@') }),
      'KUBE_UNREACHABLE',
      /cannot reach the proxy http:\/\/127\.0\.0\.1:\d+: ECONNREFUSED/,
      /proxy-url/,
    )
  })

  it('says that what is there is no proxy', async () => {
    await fails(
      send({ HTTPS_PROXY: servers.plain.replace('http:', 'socks5:') }),
      'KUBE_UNREACHABLE',
      /does not answer as a SOCKS5 proxy|cannot reach the proxy/,
    )
    const noise = createServer((socket: Socket) => socket.on('error', () => undefined).end('hello\r\n\r\n'))
    await new Promise<void>((resolve) => noise.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = noise.address() as AddressInfo
      await fails(
        send({ HTTPS_PROXY: `http://127.0.0.1:${port}` }),
        'KUBE_UNREACHABLE',
        /does not answer as an HTTP proxy/,
      )
    } finally {
      noise.close()
    }
  })

  it('still checks the server’s certificate', async () => {
    const { url } = await proxy(startHttpProxy())
    await fails(
      send({ HTTPS_PROXY: url }, { certificateAuthority: certificates.path('other-ca.crt') }),
      'KUBE_TLS',
      /authority that is not known/,
    )
  })

  it('gives up on a proxy that does not speak', async () => {
    await fails(
      send({ HTTPS_PROXY: servers.silent.replace('https:', 'http:') }),
      'KUBE_TIMEOUT',
      /did not answer in time/,
    )
  })
})
