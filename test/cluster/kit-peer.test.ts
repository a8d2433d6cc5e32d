import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Route } from '../../server/kit/api/route.ts'
import { createListener, type Listener } from '../../server/kit/api/listener.ts'
import { apiErrorOf, failureStatus } from '../../server/kit/api/status.ts'
import { createIssuedIdentity } from '../../server/kit/peer/issued-identity.ts'
import { createLeafRoute } from '../../server/kit/peer/leaf-route.ts'
import { createPeerClient } from '../../server/kit/peer/peer-client.ts'
import { createPeerReader } from '../../server/kit/peer/peer-reader.ts'
import { requestLeaf } from '../../server/kit/peer/request-leaf.ts'
import { createRequestedIdentity } from '../../server/kit/peer/requested-identity.ts'
import { createPeerServer } from '../../server/kit/peer/serve-peers.ts'
import { readCertificate } from '../../server/kit/tls/certificate-facts.ts'
import { createEphemeralPair, createSigningRequest } from '../../server/kit/tls/certificate.ts'
import {
  type CompanionAuthorities,
  createCompanionAuthorities,
} from '../../server/kit/tls/companion-authorities.ts'
import type { KeyPair } from '../../server/kit/tls/tls-source.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { MemoryResource } from '../kit/aggregated/memory-resource.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { ensureNamespace, ensureServiceAccount } from '../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { ManualClock } from '../kit/manual-clock.ts'
import { recordedLog } from '../kit/recorded-log.ts'
import { grantRights, transportAs, until } from './kit-world.ts'

const namespace = 'pods'
const SERVER_NAME = 'deckwatch.pods.svc'
const HOUR = 3_600_000

describe('leaves for the companion’s pods, on a real API server', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let api: KubeTransport
  let authorities: CompanionAuthorities
  let listener: Listener
  let url: string
  let folder: string
  let initial: KeyPair
  let stopAuthorities: () => Promise<void>
  // Behind, so that what is made after seventeen hours of it is valid for the TLS library, which has a clock of its own.
  const clock = new ManualClock(Date.now() - 18 * HOUR)
  const log = recordedLog()

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    await grantRights(cluster, namespace, { apiReplicas: 2 })
    for (const name of ['deckwatch-reconciler', 'default']) {
      await ensureServiceAccount(cluster.admin, namespace, name)
    }
    await ensureNamespace(cluster.admin, 'elsewhere')
    await ensureServiceAccount(cluster.admin, 'elsewhere', 'deckwatch')
    api = await transportAs(cluster, namespace, 'deckwatch-api')
    initial = await createEphemeralPair({ dnsName: SERVER_NAME, now: clock.now() })
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-peer-'))
    const shared = { transport: api, namespace, initial, clock, log }
    authorities = createCompanionAuthorities({ ...shared, service: 'deckwatch', apiService: '' })
    const stopping = new AbortController()
    const running = authorities.run(stopping.signal)
    stopAuthorities = async () => {
      stopping.abort()
      await running
    }
    await until(() => authorities.ready().ok || undefined)
    const route = createLeafRoute({
      transport: api,
      namespace,
      profiles: {
        peer: {
          authority: authorities.peerAuthority,
          accounts: { deckwatch: ['deckwatch-data.pods.svc'], 'deckwatch-checker': [] },
        },
        serving: {
          authority: authorities.servingAuthority,
          accounts: { 'deckwatch-reconciler': ['deckwatch-webhook.pods.svc'] },
        },
      },
      clock,
      log,
    })
    listener = createListener({
      address: '127.0.0.1:0',
      tls: authorities.serving,
      log,
      clock,
      handle: (request, response) => serve(route, request, response),
    })
    const { port } = await listener.listen()
    url = `https://127.0.0.1:${port}/peer/v1/leaf`
  })

  after(async () => {
    await listener?.close(1000)
    await stopAuthorities?.()
    await cluster?.stop()
    if (folder) await rm(folder, { recursive: true })
  })

  // Each test has a burst of its own.
  beforeEach(() => clock.advance(20_000))

  /** A token as the kubelet projects it: for an audience, bound to a pod. */
  const projected = async (
    account: string,
    { audience = 'deckwatch-peer', bound = true, of = namespace } = {},
  ): Promise<string> => {
    const pods = `/api/v1/namespaces/${of}/pods`
    const pod = await cluster.admin.send<{ metadata: { name: string; uid: string } }>('POST', pods, {
      metadata: { generateName: `${account}-` },
      spec: { serviceAccountName: account, containers: [{ name: 'a', image: 'example.org/a' }] },
    })
    const { name, uid } = pod.metadata
    const { status } = await cluster.admin.send<{ status: { token: string } }>(
      'POST',
      `/api/v1/namespaces/${of}/serviceaccounts/${account}/token`,
      {
        spec: {
          audiences: [audience],
          ...(bound ? { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } } : {}),
        },
      },
    )
    return status.token
  }

  const ask = async (token: string, options: { profile?: 'peer' | 'serving'; request?: string } = {}) => {
    const { profile = 'peer', request = (await createSigningRequest()).request } = options
    const authority = authorities.servingAuthority.bundle()
    return requestLeaf(
      { url, serverName: SERVER_NAME, authority, profile, token, request },
      AbortSignal.timeout(20_000),
    )
  }

  it('name the ServiceAccount that the token proves, and what it serves', async () => {
    const { certificate, authorities: bundle } = await ask(await projected('deckwatch'))
    const leaf = readCertificate(certificate)
    assert.equal(leaf?.subjectAltName, 'DNS:deckwatch-data.pods.svc, URI:deckwatch://pods/deckwatch')
    assert.equal(bundle, authorities.peerAuthority.bundle())
    assert.ok(leaf?.verify(readCertificate(bundle)?.publicKey ?? assert.fail()))
    assert.equal(leaf.validToDate.getTime(), Math.floor((clock.now() + 24 * HOUR) / 1000) * 1000)
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  })

  it('are of the serving authority for who hosts a webhook, and for nobody else', async () => {
    const token = await projected('deckwatch-reconciler')
    const { certificate, authorities: bundle } = await ask(token, { profile: 'serving' })
    assert.equal(bundle, authorities.servingAuthority.bundle())
    assert.equal(readCertificate(certificate)?.subjectAltName, 'DNS:deckwatch-webhook.pods.svc')
    assert.deepEqual(readCertificate(certificate)?.keyUsage, ['1.3.6.1.5.5.7.3.1'])
    await assert.rejects(ask(token), /answered 403: pods\/deckwatch-reconciler may have no peer leaf/)
    await assert.rejects(ask(await projected('deckwatch'), { profile: 'serving' }), /answered 403/)
  })

  it('are for nobody without such a token', async () => {
    await assert.rejects(ask(await projected('default')), /answered 403/)
    await assert.rejects(ask(await projected('deckwatch', { of: 'elsewhere' })), /answered 403/)
    await assert.rejects(ask(await projected('deckwatch', { bound: false })), /answered 401/)
    await assert.rejects(ask(await projected('deckwatch', { audience: 'vault' })), /answered 401/)
    await assert.rejects(ask(await cluster.token(namespace, 'deckwatch')), /answered 401/)
    await assert.rejects(ask('no-token'), /answered 401/)
    await assert.rejects(ask('no token'), /answered 401/)
  })

  it('are for nobody whose pod is gone', async () => {
    const token = await projected('deckwatch')
    await cluster.admin.text('DELETE', `/api/v1/namespaces/${namespace}/pods?gracePeriodSeconds=0`)
    // The API server itself remembers for ten seconds at most what a token was good for.
    await until(() =>
      ask(token).then(
        async () => {
          await clock.advance(2000)
          return undefined
        },
        (error: Error) => {
          assert.match(error.message, /answered 401/)
          return true
        },
      ),
    )
  })

  it('are not made of what is no signing request', async () => {
    const token = await projected('deckwatch')
    await assert.rejects(ask(token, { request: 'garbage' }), /answered 400/)
    const { request } = await createSigningRequest()
    const forged = Buffer.from(request.replaceAll(/-.*-|\s/g, ''), 'base64')
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    await assert.rejects(ask(token, { request: pem }), /answered 400/)
    await assert.rejects(ask(token, { request: 'x'.repeat(20_000) }), /answered 413/)
  })

  it('are not handed out without measure', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, () =>
        ask('no-token').then(
          () => 'a leaf',
          ({ message }: Error) => message,
        ),
      ),
    )
    assert.ok(answers.some((message) => /answered 429/.test(message)))
  })

  it('let two pods read from each other: renewed in time, also under a new authority', async () => {
    const tokenFile = join(folder, 'token')
    await writeFile(tokenFile, await projected('deckwatch'))
    const stopping = new AbortController()
    const data = createRequestedIdentity({
      transport: await transportAs(cluster, namespace, 'deckwatch'),
      namespace,
      leafUrl: url,
      serverName: SERVER_NAME,
      profile: 'peer',
      tokenFile,
      initial,
      clock,
      log,
      random: () => 0.5,
    })
    const asking = createIssuedIdentity({
      authority: authorities.peerAuthority,
      namespace,
      account: 'deckwatch-api',
      initial,
      clock,
      log,
      random: () => 0.5,
    })
    const widgets = new MemoryResource()
    const server = createPeerServer({
      address: '127.0.0.1:0',
      resources: [widgets.resource],
      identity: data,
      namespace,
      accounts: ['deckwatch-api'],
      authorizer: {
        authorize: async ({ namespace: asked }) => ({ namespace: asked, namespaceUid: undefined }),
        guard: () => () => undefined,
      },
      clock,
      log,
    })
    const running = [data, asking, server].map((part) => part.run(stopping.signal))
    const { port } = await server.listening
    const client = createPeerClient({
      host: '127.0.0.1',
      port,
      identity: asking,
      namespace,
      accounts: ['deckwatch'],
      clock,
    })
    const reader = createPeerReader(client, 'widgets')
    const list = () =>
      reader.list(
        {
          namespace: undefined,
          namespaceUid: undefined,
          fields: [],
          limit: 0,
          continue: '',
          sinceTime: undefined,
        },
        { username: 'jane', uid: '', groups: [], extra: {} },
        AbortSignal.timeout(10_000),
      )
    try {
      // Each waits by the clock after a failure of its first seconds.
      await until(async () => {
        if (data.ready().ok && asking.ready().ok) return true
        await clock.advance(500)
        return undefined
      })
      widgets.put({ name: 'a', namespace: 'shop' })
      assert.equal((await list()).items.length, 1)
      assert.deepEqual(
        [...data.certificates(), ...asking.certificates()].map(({ name }) => name),
        ['peer', 'peer'],
      )

      const first = data.tls.current().certificate
      await clock.advance(15 * HOUR)
      assert.equal(data.tls.current().certificate, first)
      await writeFile(tokenFile, await projected('deckwatch'))
      await clock.advance(2 * HOUR)
      await until(async () => {
        await clock.advance(10_000)
        return data.tls.current().certificate === first ? undefined : true
      })
      assert.equal((await list()).items.length, 1)

      // The key of the peer authority is lost: everyone gets new leaves within a minute or two.
      const second = data.tls.current().certificate
      const old = authorities.peerAuthority.bundle()
      await cluster.admin.text('DELETE', `/api/v1/namespaces/${namespace}/secrets/deckwatch-peer-ca`)
      await until(async () => {
        await clock.advance(10_000)
        if (authorities.peerAuthority.bundle() === old) return undefined
        return data.tls.current().certificate === second ? undefined : true
      })
      await until(() =>
        list().then(
          () => true,
          async () => {
            await clock.advance(10_000)
            return undefined
          },
        ),
      )
      assert.doesNotMatch(inspect(log.lines, { depth: 10 }), /PRIVATE|BEGIN|eyJ/)
    } finally {
      stopping.abort()
      client.close()
      await Promise.all(running)
    }
  })
})

function serve(
  route: Route,
  request: Parameters<Route['handle']>[0],
  response: Parameters<Route['handle']>[1],
): void {
  route.handle(request, response, AbortSignal.timeout(10_000)).catch((error: unknown) => {
    const told = apiErrorOf(error)
    response.writeHead(told.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(failureStatus(told)))
  })
}
