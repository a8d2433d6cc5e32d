import { equal, deepEqual, match, notEqual, ok, rejects } from 'node:assert/strict'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transportOptions } from '../../../src/core/kube/connect.ts'
import type { TransportOptions } from '../../../src/core/kube/connect-session.ts'
import type { ClusterConnection, ConnectionOverrides } from '../../../src/core/kube/connection.ts'
import { processEnvironment } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { readAll } from '../../../src/core/kube/transport.ts'
import type { KubeRequest, KubeResponse, KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { ErrorCode } from '../../../src/core/lib/errors.ts'
import type { ContractServers, Echo } from './contract-servers.ts'

/** What a case has to work with; plain data, so that it can be handed to a process of another runtime. */
export interface ContractData {
  readonly servers: Omit<ContractServers, 'stop'>
  readonly certificates: string
  /** URLs of proxies of each kind, to which every name is 127.0.0.1. */
  readonly proxies: readonly string[]
}

/** The same with the implementation under test. */
export interface ContractWorld extends ContractData {
  readonly create: (options: TransportOptions) => KubeTransport
}

/** One rule that every transport keeps. */
export interface ContractCase {
  readonly name: string
  readonly run: (world: ContractWorld) => Promise<void>
}

interface Client extends KubeTransport {
  text(path: string, request?: Partial<KubeRequest>): Promise<string>
  echo(path: string, request?: Partial<KubeRequest>): Promise<Echo>
}

async function client(
  { servers, certificates, create }: ContractWorld,
  overrides: ConnectionOverrides = {},
  changes: Partial<ClusterConnection> = {},
): Promise<Client> {
  const environment = { ...processEnvironment(), variables: {}, home: undefined }
  const connection = await loadConnection(
    {
      server: servers.tls,
      ...(overrides.insecureSkipTlsVerify ? {} : { certificateAuthority: join(certificates, 'ca.crt') }),
      ...overrides,
    },
    environment,
  )
  const transport = create(
    await transportOptions({ ...connection, ...changes }, { environment, userAgent: 'contract/1' }),
  )
  const text = async (path: string, request: Partial<KubeRequest> = {}): Promise<string> =>
    Buffer.from(await readAll((await transport.send({ path, ...request })).body)).toString('utf8')
  return {
    send: (request) => transport.send(request),
    close: () => transport.close(),
    text,
    echo: async (path, request) => JSON.parse(await text(path, request)) as Echo,
  }
}

async function read(response: KubeResponse): Promise<string> {
  return Buffer.from(await readAll(response.body)).toString('utf8')
}

function values({ headers }: Echo, name: string): string[] {
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name)
}

async function fails(work: Promise<unknown>, code: ErrorCode, message: RegExp, hint?: RegExp): Promise<void> {
  await rejects(work, (error: unknown) => {
    ok(error instanceof DeckError, String(error))
    equal(error.code, code, error.message)
    match(error.message, message)
    if (hint) match(error.hint ?? '', hint)
    return true
  })
}

function alice(certificates: string, name = 'alice'): ConnectionOverrides {
  return {
    clientCertificate: join(certificates, `${name}.crt`),
    clientKey: join(certificates, `${name}.key`),
  }
}

const requests: readonly ContractCase[] = [
  {
    name: 'says who asks, for what, and as which program',
    async run(world) {
      const echo = await (
        await client(world, { token: 'a-token' })
      ).echo('/api/v1/pods?limit=5', {
        accept: 'application/vnd.kubernetes.protobuf,application/json',
      })
      equal(echo.method, 'GET')
      equal(echo.url, '/api/v1/pods?limit=5')
      deepEqual(values(echo, 'authorization'), ['Bearer a-token'])
      deepEqual(values(echo, 'accept'), ['application/vnd.kubernetes.protobuf,application/json'])
      deepEqual(values(echo, 'user-agent'), ['contract/1'])
    },
  },
  {
    name: 'asks for no compression on loopback',
    async run(world) {
      deepEqual(values(await (await client(world)).echo('/'), 'accept-encoding'), ['identity'])
    },
  },
  {
    name: 'sends a body with its type',
    async run(world) {
      const echo = await (
        await client(world)
      ).echo('/', {
        method: 'PATCH',
        body: '{"spec":"é"}',
        contentType: 'application/merge-patch+json',
      })
      equal(echo.method, 'PATCH')
      equal(echo.body, '{"spec":"é"}')
      deepEqual(values(echo, 'content-type'), ['application/merge-patch+json'])
    },
  },
  {
    name: 'puts the path of the server before every path',
    async run(world) {
      const { servers } = world
      equal(
        (await (await client(world, { server: `${servers.tls}/k8s/c-1/` })).echo('/api')).url,
        '/k8s/c-1/api',
      )
    },
  },
  {
    name: 'names headers in lower case',
    async run(world) {
      const response = await (await client(world)).send({ path: '/' })
      equal(response.headers['x-mixed-case'], 'Yes')
      await read(response)
    },
  },
  {
    name: 'follows no redirect',
    async run(world) {
      const response = await (await client(world)).send({ path: '/redirect' })
      equal(response.status, 302)
      equal(response.headers['location'], '/echo')
      await read(response)
    },
  },
  {
    name: 'acts as the user, uid and extra of the impersonation',
    async run(world) {
      const echo = await (
        await client(world, {
          as: 'eve',
          asUid: '7',
          asGroups: ['dev'],
          asUserExtra: ['example.org/Team=one'],
        })
      ).echo('/')
      deepEqual(values(echo, 'impersonate-user'), ['eve'])
      deepEqual(values(echo, 'impersonate-uid'), ['7'])
      deepEqual(values(echo, 'impersonate-group'), ['dev'])
      deepEqual(values(echo, 'impersonate-extra-example.org%2fteam'), ['one'])
    },
  },
  {
    name: 'sends credentials to no http server',
    async run(world) {
      const echo = await (
        await client(world, { server: world.servers.plain, token: 'secret', ...alice(world.certificates) })
      ).echo('/')
      deepEqual(values(echo, 'authorization'), [])
    },
  },
]

const connections: readonly ContractCase[] = [
  {
    name: 'keeps its connection for the next request',
    async run(world) {
      const one = await client(world, alice(world.certificates))
      const first = await one.echo('/1')
      equal(first.client, 'alice')
      equal((await one.echo('/2')).connection, first.connection)
      equal((await one.echo('/3')).connection, first.connection)
    },
  },
  {
    name: 'never lends the connection of one client certificate to another',
    async run(world) {
      const [one, two] = [
        await client(world, alice(world.certificates)),
        await client(world, alice(world.certificates, 'bob')),
      ]
      equal((await one.echo('/')).client, 'alice')
      equal((await two.echo('/')).client, 'bob')
      equal((await one.echo('/')).client, 'alice')
      equal((await (await client(world)).echo('/')).client, undefined)
    },
  },
  {
    name: 'sends a GET anew when the idle connection had been closed',
    async run(world) {
      const one = await client(world)
      for (let round = 0; round < 5; round += 1) {
        equal(await one.text('/once'), 'once')
        // About when the server closes it: before, while and after the next request goes out.
        await new Promise((resolve) => setTimeout(resolve, round * 3))
      }
    },
  },
  {
    name: 'stays usable after a body that was left half read',
    async run(world) {
      const one = await client(world)
      const response = await one.send({ path: '/stall' })
      for await (const chunk of response.body) {
        equal(Buffer.from(chunk).toString(), 'first')
        break
      }
      equal((await one.echo('/next')).url, '/next')
    },
  },
  {
    name: 'stays usable after close',
    async run(world) {
      const one = await client(world)
      const before = await one.echo('/')
      one.close()
      notEqual((await one.echo('/')).connection, undefined)
      equal(before.url, '/')
    },
  },
]

const bodies: readonly ContractCase[] = [
  {
    name: 'gives a body as it comes, not when it ends',
    async run(world) {
      const one = await client(world)
      const name = `${process.pid}-${Math.random()}`
      const response = await one.send({ path: `/stream?${name}`, streaming: true })
      const lines: string[] = []
      for await (const chunk of response.body) {
        lines.push(Buffer.from(chunk).toString())
        if (lines.length === 1) await one.text(`/stream-on?${name}`)
      }
      deepEqual(lines, ['{"type":"ADDED"}\n', '{"type":"DELETED"}\n'])
    },
  },
  {
    name: 'decompresses',
    async run(world) {
      equal(await (await client(world)).text('/gzip'), 'pod '.repeat(5000))
    },
  },
  ...(
    [
      ['a body that ends before its content-length', '/short'],
      ['a chunked body that is cut', '/cut-chunked'],
      ['a compressed body that is cut', '/cut-gzip'],
      ['a compressed body that ends cleanly and too early', '/half-gzip'],
    ] as const
  ).map(([what, path]) => ({
    name: `rejects while reading ${what}`,
    async run(world: ContractWorld) {
      await fails(
        (async () => (await client(world)).text(path))(),
        'KUBE_UNREACHABLE',
        /the answer of the API server https:\/\/127\.0\.0\.1:\d+ broke off/,
      )
    },
  })),
]

const endings: readonly ContractCase[] = [
  {
    name: 'does not begin with a signal that has aborted',
    async run(world) {
      const reason = new Error('enough')
      await rejects((await client(world)).send({ path: '/', signal: AbortSignal.abort(reason) }), reason)
    },
  },
  {
    name: 'rejects with the signal’s reason before the answer',
    async run(world) {
      const controller = new AbortController()
      const reason = new Error('enough')
      const sent = (await client(world)).send({ path: '/never', signal: controller.signal })
      setTimeout(() => controller.abort(reason), 50)
      await rejects(sent, reason)
    },
  },
  {
    name: 'rejects with the signal’s reason in the middle of a body',
    async run(world) {
      const controller = new AbortController()
      const reason = new Error('enough')
      const response = await (
        await client(world)
      ).send({ path: '/stall', signal: controller.signal, streaming: true })
      setTimeout(() => controller.abort(reason), 50)
      await rejects(readAll(response.body), reason)
    },
  },
  {
    name: 'bounds the wait for an answer by the request timeout',
    async run(world) {
      await fails(
        (await client(world, { requestTimeout: '100ms' })).send({ path: '/never' }),
        'KUBE_TIMEOUT',
        /took longer than 0\.1 s/,
        /--request-timeout/,
      )
    },
  },
  {
    name: 'bounds the whole body by the request timeout',
    async run(world) {
      await fails((await client(world, { requestTimeout: '100ms' })).text('/stall'), 'KUBE_TIMEOUT', /0\.1 s/)
    },
  },
  {
    name: 'sets no time for a watch',
    async run(world) {
      const controller = new AbortController()
      const one = await client(world, { requestTimeout: '50ms' })
      const response = await one.send({ path: '/stall', signal: controller.signal, streaming: true })
      const reason = new Error('enough')
      setTimeout(() => controller.abort(reason), 200)
      await rejects(readAll(response.body), reason)
    },
  },
  {
    name: 'gives up connecting to a server that does not speak',
    async run(world) {
      await fails(
        (await client(world, { server: world.servers.silent })).send({ path: '/' }),
        'KUBE_TIMEOUT',
        /did not answer in time/,
      )
    },
  },
  {
    name: 'names the server where nothing listens',
    async run(world) {
      const { closed } = world.servers
      await fails(
        (await client(world, { server: closed }, { contextName: 'prod' })).send({ path: '/' }),
        'KUBE_UNREACHABLE',
        new RegExp(`cannot reach the API server ${closed} \\(context "prod"\\): nothing listens there`),
        /--context/,
      )
    },
  },
  {
    name: 'says that a name cannot be resolved',
    async run(world) {
      await fails(
        (await client(world, { server: 'https://nowhere.invalid' })).send({ path: '/' }),
        'KUBE_UNREACHABLE',
        /its name cannot be resolved/,
      )
    },
  },
]

const trust: readonly ContractCase[] = [
  {
    name: 'refuses a server of an authority that it does not know',
    async run(world) {
      await fails(
        (await client(world, { certificateAuthority: join(world.certificates, 'other-ca.crt') })).send({
          path: '/',
        }),
        'KUBE_TLS',
        /authority that is not known here/,
        /--certificate-authority/,
      )
    },
  },
  {
    name: 'does not know a private authority by itself',
    async run(world) {
      await fails(
        (await client(world, { certificateAuthority: '' })).send({ path: '/' }),
        'KUBE_TLS',
        /authority that is not known here/,
      )
    },
  },
  {
    name: 'refuses a server with another name',
    async run(world) {
      await fails(
        (await client(world, { tlsServerName: 'elsewhere.test' })).send({ path: '/' }),
        'KUBE_TLS',
        /its certificate is not for elsewhere\.test/,
        /--tls-server-name/,
      )
    },
  },
  {
    name: 'expects the name of --tls-server-name',
    async run(world) {
      equal((await (await client(world, { tlsServerName: 'kube.test' })).echo('/ok')).url, '/ok')
    },
  },
  {
    name: 'refuses a server whose certificate has ended',
    async run(world) {
      await fails(
        (await client(world, { server: world.servers.ended })).send({ path: '/' }),
        'KUBE_TLS',
        /its certificate has ended/,
      )
    },
  },
  {
    name: 'trusts anybody when told to',
    async run(world) {
      const one = await client(world, { server: world.servers.ended, insecureSkipTlsVerify: true })
      equal((await one.echo('/ok')).url, '/ok')
    },
  },
  {
    name: 'says that a server does not speak TLS',
    async run(world) {
      await fails(
        (await client(world, { server: world.servers.plain.replace('http:', 'https:') })).send({ path: '/' }),
        'KUBE_TLS',
        /does not speak TLS/,
        /http:\/\//,
      )
    },
  },
  {
    name: 'says that a server wants a client certificate',
    async run(world) {
      await fails(
        (await client(world, { server: world.servers.mutual })).send({ path: '/' }),
        'KUBE_TLS',
        /wants a client certificate/,
        /--client-certificate/,
      )
    },
  },
  {
    name: 'says that a server does not accept the client certificate',
    async run(world) {
      await fails(
        (
          await client(world, { server: world.servers.strict, ...alice(world.certificates, 'stranger') })
        ).send({ path: '/' }),
        'KUBE_TLS',
        /does not accept our client certificate/,
      )
    },
  },
  {
    name: 'says that the client certificate has ended',
    async run(world) {
      await fails(
        (
          await client(world, { server: world.servers.mutual, ...alice(world.certificates, 'alice-ended') })
        ).send({ path: '/' }),
        'KUBE_TLS',
        /the client certificate of user.* ended on \d{4}-\d\d-\d\d/,
      )
    },
  },
  {
    name: 'says that a key belongs to another certificate',
    async run(world) {
      await fails(
        (
          await client(world, {
            clientCertificate: join(world.certificates, 'alice.crt'),
            clientKey: join(world.certificates, 'bob.key'),
          })
        ).send({ path: '/' }),
        'KUBE_TLS',
        /does not belong to the client certificate/,
      )
    },
  },
]

const logins: readonly ContractCase[] = [
  {
    name: 'reads the token file again after a 401, and asks once more',
    async run(world) {
      const file = join(world.certificates, `token-${process.pid}`)
      await writeFile(file, 'old\n')
      const one = await client(world, { tokenFile: file })
      await one.text('/')
      const name = `new-${process.pid}-${Math.random()}`
      await writeFile(file, `${name}\n`)
      const response = await one.send({ path: `/login?${name}` })
      equal(response.status, 200)
      equal(response.headers['x-calls'], '2')
      equal(await read(response), 'welcome')
    },
  },
  {
    name: 'gives a 401 to whoever asked when the credentials are the same as before',
    async run(world) {
      const name = `other-${process.pid}-${Math.random()}`
      const response = await (await client(world, { token: 'fixed' })).send({ path: `/login?${name}` })
      equal(response.status, 401)
      equal(response.headers['x-calls'], '1')
      equal(await read(response), 'no')
    },
  },
  {
    name: 'takes a client certificate that was renewed on disk after a 401',
    async run(world) {
      const file = (name: string): string => join(world.certificates, name)
      const mine = `mine-${process.pid}-${Math.random()}`
      for (const kind of ['crt', 'key']) await copyFile(file(`alice.${kind}`), file(`${mine}.${kind}`))
      const one = await client(world, {
        clientCertificate: file(`${mine}.crt`),
        clientKey: file(`${mine}.key`),
      })
      equal((await one.echo('/')).client, 'alice')
      for (const kind of ['crt', 'key']) await copyFile(file(`bob.${kind}`), file(`${mine}.${kind}`))
      await read(await one.send({ path: '/login?nobody' }))
      equal((await one.echo('/')).client, 'bob')
    },
  },
]

/** What every KubeTransport of `connect` does, run over each implementation. */
export const TRANSPORT_CONTRACT: readonly ContractCase[] = [
  ...requests,
  ...connections,
  ...bodies,
  ...endings,
  ...trust,
  ...logins,
]

/** What a transport that knows proxies does besides. */
export const PROXY_CONTRACT: readonly ContractCase[] = [
  {
    name: 'goes through a proxy of each kind, with TLS and the client certificate for the server alone',
    async run(world) {
      const { servers, proxies, certificates } = world
      const server = servers.tls.replace('127.0.0.1', 'kube.test')
      for (const proxyUrl of proxies) {
        const one = await client(world, { server, ...alice(certificates) }, { proxyUrl })
        const first = await one.echo('/1')
        deepEqual([first.url, first.client], ['/1', 'alice'], proxyUrl)
        equal((await one.echo('/2')).connection, first.connection, proxyUrl)
      }
    },
  },
]
