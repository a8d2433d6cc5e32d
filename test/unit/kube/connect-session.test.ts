import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { ManualClock } from '../../kit/manual-clock.ts'
import { createCredentials } from '../../../src/core/kube/connect-credentials.ts'
import { createConnectFiles } from '../../../src/core/kube/connect-files.ts'
import { createSession } from '../../../src/core/kube/connect-session.ts'
import type { WireRequest } from '../../../src/core/kube/connect-session.ts'
import type { ClusterConnection } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import type { ConnectionOverrides } from '../../../src/core/kube/connection.ts'
import { readAll } from '../../../src/core/kube/transport.ts'
import type { KubeRequest, KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { fileError, memoryEnvironment } from './memory-environment.ts'

interface World {
  readonly transport: KubeTransport
  readonly sent: WireRequest[]
  readonly files: Record<string, string | Error>
  readonly clock: ManualClock
}

/** A session over a wire that only notes what it is given, and answers with the statuses in turn, then 200. */
async function session(
  overrides: ConnectionOverrides,
  { files = {}, statuses = [] }: { files?: Record<string, string | Error>; statuses?: number[] } = {},
): Promise<World> {
  const clock = new ManualClock()
  const environment = memoryEnvironment({ files, clock })
  const connection: ClusterConnection = await loadConnection(
    { server: 'https://kube.test', certificateAuthority: '/ca', ...overrides },
    environment,
  )
  const connectFiles = createConnectFiles(environment)
  const sent: WireRequest[] = []
  const credentials = await createCredentials(connection, environment, connectFiles)
  const transport = createSession(
    { connection, environment, files: connectFiles, credentials, userAgent: 'test' },
    {
      async send(request) {
        sent.push(request)
        return {
          status: statuses.shift() ?? 200,
          headers: {},
          body: (async function* () {
            yield Buffer.from('{}')
          })(),
        }
      },
      close: () => undefined,
    },
  )
  return { transport, sent, files, clock }
}

async function headers(
  overrides: ConnectionOverrides,
  request: Partial<KubeRequest> = {},
): Promise<string[]> {
  const { transport, sent } = await session(overrides, { files: { '/ca': 'ca' } })
  await readAll((await transport.send({ path: '/', ...request })).body)
  return (sent[0]?.headers ?? []).map(([name, value]) => `${name}: ${value}`)
}

describe('the headers of a request', () => {
  it('ask for gzip, save on loopback, for a watch, and with --disable-compression', async () => {
    const encoding = async (overrides: ConnectionOverrides, request?: Partial<KubeRequest>) =>
      (await headers(overrides, request)).find((line) => line.startsWith('accept-encoding'))
    equal(await encoding({}), 'accept-encoding: gzip')
    equal(await encoding({ disableCompression: true }), 'accept-encoding: identity')
    equal(await encoding({}, { streaming: true }), 'accept-encoding: identity')
    for (const server of ['https://127.0.0.1:6443', 'https://localhost', 'https://[::1]:6443']) {
      equal(await encoding({ server }), 'accept-encoding: identity', server)
    }
    equal(await encoding({ server: 'https://127.example.org' }), 'accept-encoding: gzip')
  })

  it('carry each group and each value of an extra by itself, with keys escaped and letters as UTF-8', async () => {
    const lines = await headers({
      as: 'jürgen',
      asGroups: ['dev', 'ops'],
      asUserExtra: ['example.org/a b=1', 'example.org/a b=2', 'ü%=3'],
    })
    deepEqual(
      lines.filter((line) => line.startsWith('impersonate')),
      [
        `impersonate-user: ${Buffer.from('jürgen').toString('latin1')}`,
        'impersonate-group: dev',
        'impersonate-group: ops',
        'impersonate-extra-example.org%2Fa%20b: 1',
        'impersonate-extra-example.org%2Fa%20b: 2',
        'impersonate-extra-%C3%BC%25: 3',
      ],
    )
  })

  it('carry a password as Basic', async () => {
    const lines = await headers({ username: 'ä', password: 'p:w' })
    ok(lines.includes(`authorization: Basic ${Buffer.from('ä:p:w').toString('base64')}`))
  })
})

describe('credentials in files', () => {
  const authorization = ({ sent }: World): (string | undefined)[] =>
    sent.map((request) => request.headers.find(([name]) => name === 'authorization')?.[1])

  it('are read again at most once a minute', async () => {
    const world = await session({ tokenFile: '/t' }, { files: { '/ca': 'ca', '/t': 'one\n' } })
    await world.transport.send({ path: '/' })
    world.files['/t'] = 'two\n'
    await world.clock.advance(59_000)
    await world.transport.send({ path: '/' })
    await world.clock.advance(1_000)
    await world.transport.send({ path: '/' })
    deepEqual(authorization(world), ['Bearer one', 'Bearer one', 'Bearer two'])
  })

  it('keep their last good text while they cannot be read', async () => {
    const world = await session({ tokenFile: '/t' }, { files: { '/ca': 'ca', '/t': 'one' } })
    await world.transport.send({ path: '/' })
    world.files['/t'] = fileError('ENOENT')
    await world.clock.advance(120_000)
    await world.transport.send({ path: '/' })
    deepEqual(authorization(world), ['Bearer one', 'Bearer one'])
  })

  it('are read at once after a 401, and the request goes out once more', async () => {
    const world = await session(
      { tokenFile: '/t' },
      { files: { '/ca': 'ca', '/t': 'one' }, statuses: [200, 401] },
    )
    await world.transport.send({ path: '/' })
    world.files['/t'] = 'two'
    equal((await world.transport.send({ path: '/' })).status, 200)
    deepEqual(authorization(world), ['Bearer one', 'Bearer one', 'Bearer two'])
  })

  it('are read at once after a 401 also where a token stands in the kubeconfig itself', async () => {
    const kubeconfig = (token: string): string => `
current-context: c
clusters: [{name: c, cluster: {server: "https://kube.test"}}]
contexts: [{name: c, context: {cluster: c, user: me}}]
users: [{name: other, user: {token: theirs}}, {name: me, user: {token: "${token}"}}]
`
    const world = await session(
      { kubeconfig: '/config' },
      { files: { '/ca': 'ca', '/config': kubeconfig('one') }, statuses: [200, 401, 401] },
    )
    await world.transport.send({ path: '/' })
    world.files['/config'] = kubeconfig('two')
    equal((await world.transport.send({ path: '/' })).status, 401)
    equal((await world.transport.send({ path: '/' })).status, 200)
    deepEqual(authorization(world), ['Bearer one', 'Bearer one', 'Bearer two', 'Bearer two'])
  })

  it('are not taken from a kubeconfig that is half written, lacks the user, or is gone', async () => {
    const kubeconfig = `
current-context: c
clusters: [{name: c, cluster: {server: "https://kube.test"}}]
contexts: [{name: c, context: {cluster: c, user: me}}]
users: [{name: me, user: {token: one}}]
`
    const world = await session(
      { kubeconfig: '/config' },
      { files: { '/ca': 'ca', '/config': kubeconfig }, statuses: [401, 401, 401] },
    )
    for (const now of [kubeconfig.slice(0, -3), 'users: []', fileError('ENOENT')]) {
      world.files['/config'] = now
      equal((await world.transport.send({ path: '/' })).status, 401)
    }
    deepEqual(authorization(world), ['Bearer one', 'Bearer one', 'Bearer one'])
  })

  it('do not replace the token of a flag', async () => {
    const text = `
current-context: c
clusters: [{name: c, cluster: {server: "https://kube.test"}}]
contexts: [{name: c, context: {cluster: c, user: me}}]
users: [{name: me, user: {token: written}}]
`
    const world = await session(
      { kubeconfig: '/config', token: 'given' },
      { files: { '/ca': 'ca', '/config': text }, statuses: [401] },
    )
    equal((await world.transport.send({ path: '/' })).status, 401)
    deepEqual(authorization(world), ['Bearer given'])
  })

  it('lead to no third try', async () => {
    const world = await session(
      { tokenFile: '/t' },
      { files: { '/ca': 'ca', '/t': 'one' }, statuses: [200, 401, 401, 401] },
    )
    await world.transport.send({ path: '/' })
    world.files['/t'] = 'two'
    equal((await world.transport.send({ path: '/' })).status, 401)
    equal(world.sent.length, 3)
  })

  it('may be a new authority for the server, too', async () => {
    const world = await session({}, { files: { '/ca': 'old' } })
    await world.transport.send({ path: '/' })
    world.files['/ca'] = 'new'
    await world.clock.advance(60_000)
    await world.transport.send({ path: '/' })
    deepEqual(
      world.sent.map(({ material }) => material?.ca),
      ['old', 'new'],
    )
  })

  it('that are no tokens are refused without being shown', async () => {
    const { transport } = await session({ token: 'hunter2\nX-Evil: 1' }, { files: { '/ca': 'ca' } })
    await rejects(transport.send({ path: '/' }), (error: unknown) => {
      ok(error instanceof DeckError)
      equal(error.code, 'KUBECONFIG_MALFORMED')
      ok(!`${error.message}${error.hint}`.includes('hunter2'))
      return true
    })
  })
})
