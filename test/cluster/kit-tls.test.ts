import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { readCertificate } from '../../server/kit/tls/certificate-facts.ts'
import { createAuthorityPair, createEphemeralPair, createLeaf } from '../../server/kit/tls/certificate.ts'
import {
  type CompanionAuthorities,
  createCompanionAuthorities,
} from '../../server/kit/tls/companion-authorities.ts'
import { checkNamespace, guardNamespace } from '../../server/kit/tls/namespace-guard.ts'
import { readKeptAuthority } from '../../server/kit/tls/kept-authority.ts'
import { connect } from '../../src/core/kube/connect.ts'
import { loadConnection } from '../../src/core/kube/kubeconfig.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { ManualClock } from '../kit/manual-clock.ts'
import { type RecordedLog, recordedLog } from '../kit/recorded-log.ts'
import { grantRights, transportAs, until } from './kit-world.ts'

const API_SERVICE = 'v1alpha1.deckwatch.dev'
const API_SERVICE_PATH = `/apis/apiregistration.k8s.io/v1/apiservices/${API_SERVICE}`
const DAY = 86_400_000
const MINUTE = 60_000

interface ApiService {
  readonly metadata: { readonly uid: string; readonly managedFields: readonly { readonly manager: string }[] }
  readonly spec: { readonly caBundle?: string; readonly groupPriorityMinimum: number }
}

interface Replica {
  readonly authorities: CompanionAuthorities
  readonly clock: ManualClock
  readonly log: RecordedLog
  stop(): Promise<void>
}

type Damage = (data: Record<string, string>) => Promise<Record<string, string>> | Record<string, string>

const cut = (pem = ''): string => pem.slice(0, pem.length / 2)

const DAMAGES: readonly (readonly [string, Damage, RegExp])[] = [
  ['a cut certificate', (data) => ({ 'tls.crt': cut(data['tls.crt']) }), /tls\.crt is no PEM certificate/],
  ['a cut key', (data) => ({ 'tls.key': cut(data['tls.key']) }), /tls\.key is not the P-256 key of tls\.crt/],
  [
    'the key of another pair',
    async () => ({ 'tls.key': (await foreign()).key }),
    /tls\.key is not the P-256 key of tls\.crt/,
  ],
  [
    'a pair of somebody else',
    async () => {
      const { certificate, key } = await createEphemeralPair({
        dnsName: 'deckwatch.watch.svc',
        now: Date.now(),
      })
      return { 'tls.crt': certificate, 'tls.key': key }
    },
    /tls\.crt is of another authority than ca\.crt/,
  ],
  [
    'a leaf for another name',
    async (data) => {
      const authority = { certificate: data['ca.crt'] ?? '', key: data['ca.key'] ?? '' }
      const { certificate, key } = await createLeaf(authority, {
        commonName: 'other',
        dnsNames: ['deckwatch.watch.svc', 'deckwatch.other.svc'],
        uris: [],
        uses: ['server'],
        now: Date.now(),
        lifeMs: DAY,
      })
      return { 'tls.crt': certificate, 'tls.key': key }
    },
    /tls\.crt is not for DNS:deckwatch\.watch\.svc/,
  ],
  ['no key of the authority', () => ({ 'ca.key': '' }), /ca\.key is not the P-256 key/],
  ['garbage for an authority', () => ({ 'ca.crt': 'garbage' }), /ca\.crt is no bundle/],
  ['a leaf for an authority', (data) => ({ 'ca.crt': data['tls.crt'] ?? '' }), /is no authority/],
]

const foreign = () => createAuthorityPair({ commonName: 'foreign', now: Date.now(), lifeMs: DAY })

describe('the companion’s certificates, on a real API server', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let transport: KubeTransport
  const replicas: Replica[] = []
  const namespace = 'watch'

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    await grantRights(cluster, namespace)
    transport = await transportAs(cluster, namespace, 'deckwatch')
  })

  after(() => cluster?.stop())

  afterEach(async () => {
    for (const replica of replicas.splice(0)) await replica.stop()
    for (const path of [
      `/api/v1/namespaces/${namespace}/secrets/deckwatch-tls`,
      `/api/v1/namespaces/${namespace}/secrets/deckwatch-peer-ca`,
      `/api/v1/namespaces/${namespace}/configmaps/deckwatch-ca`,
      API_SERVICE_PATH,
    ]) {
      await cluster.admin.text('DELETE', path).catch(() => undefined)
    }
  })

  const start = async (apiService = '', now = Date.now()): Promise<Replica> => {
    const clock = new ManualClock(now)
    const log = recordedLog()
    const stopping = new AbortController()
    const authorities = createCompanionAuthorities({
      transport,
      namespace,
      service: 'deckwatch',
      apiService,
      initial: await createEphemeralPair({ dnsName: 'deckwatch.watch.svc', now }),
      clock,
      log,
      random: () => 0.5,
    })
    const running = authorities.run(stopping.signal)
    const replica = {
      authorities,
      clock,
      log,
      async stop() {
        stopping.abort()
        await running
      },
    }
    replicas.push(replica)
    return replica
  }

  const settled = (replica: Replica) => until(() => replica.authorities.ready().ok || undefined)

  const serving = ({ authorities }: Replica): string => authorities.serving.current().certificate

  const secret = async (name = 'deckwatch-tls'): Promise<Record<string, string>> => {
    const { data } = await cluster.admin.send<{ data: Record<string, string> }>(
      'GET',
      `/api/v1/namespaces/${namespace}/secrets/${name}`,
    )
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    )
  }

  const putSecret = async (data: Record<string, string>): Promise<void> => {
    await cluster.admin.send('PATCH', `/api/v1/namespaces/${namespace}/secrets/deckwatch-tls`, {
      data: Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      ),
    })
  }

  const createApiService = (ofNamespace = namespace) =>
    cluster.admin.send('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
      metadata: { name: API_SERVICE },
      spec: {
        group: 'deckwatch.dev',
        version: 'v1alpha1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { namespace: ofNamespace, name: 'deckwatch', port: 443 },
      },
    })

  const apiService = () => cluster.admin.send<ApiService>('GET', API_SERVICE_PATH)

  const caBundle = async (): Promise<string> =>
    Buffer.from((await apiService()).spec.caBundle ?? '', 'base64').toString()

  it('are made once, though five pods start at once', async () => {
    const pods = await Promise.all(Array.from({ length: 5 }, () => start()))
    for (const pod of pods) await settled(pod)
    const { 'tls.crt': certificate, 'ca.crt': authority } = await secret()
    for (const pod of pods) {
      assert.equal(serving(pod), certificate)
      assert.equal(pod.authorities.servingAuthority.bundle(), authority)
      assert.equal(pod.authorities.peerAuthority.bundle(), (await secret('deckwatch-peer-ca'))['ca.crt'])
    }
    const leaf = readCertificate(certificate ?? '')
    assert.equal(leaf?.subjectAltName, 'DNS:deckwatch.watch.svc')
    const made = pods
      .flatMap(({ log }) => log.lines)
      .filter(({ message }) => message.startsWith('made a new'))
    assert.equal(made.length, 3)
  })

  it('are published in a ConfigMap, which is mended when others write there', async () => {
    const pod = await start()
    await settled(pod)
    const path = `/api/v1/namespaces/${namespace}/configmaps/deckwatch-ca`
    const published = () =>
      cluster.admin.send<{ data: Record<string, string> }>('GET', path).then(
        ({ data }) => data,
        () => undefined,
      )
    const expected = {
      'ca.crt': pod.authorities.servingAuthority.bundle(),
      'peer-ca.crt': pod.authorities.peerAuthority.bundle(),
    }
    assert.deepEqual(await until(published), expected)
    await cluster.admin.send('PATCH', path, { data: { 'ca.crt': (await foreign()).certificate } })
    await pod.clock.advance(MINUTE)
    await until(async () => ((await published())?.['ca.crt'] === expected['ca.crt'] ? true : undefined))
    await cluster.admin.text('DELETE', path)
    await pod.clock.advance(MINUTE)
    assert.deepEqual(await until(published), expected)
  })

  it('are renewed under every replica within a minute, without a restart', async () => {
    const [one, other] = [await start(), await start()]
    await settled(one)
    await settled(other)
    const before = serving(one)
    let changes = 0
    other.authorities.serving.onChange(() => {
      changes += 1
    })
    for (const { clock } of [one, other]) await clock.advance(60 * DAY - 2 * MINUTE)
    assert.equal(serving(one), before)
    await one.clock.advance(4 * MINUTE)
    await until(() => (serving(one) === before ? undefined : true))
    assert.equal(serving(other), before)
    await other.clock.advance(MINUTE)
    await until(() => (serving(other) === serving(one) ? true : undefined))
    assert.equal(changes, 1)
    assert.equal(one.authorities.servingAuthority.bundle(), other.authorities.servingAuthority.bundle())
  })

  it('are made anew at once where they ended while the process slept, and where the clock went back', async () => {
    const pod = await start()
    await settled(pod)
    const first = serving(pod)
    await pod.clock.advance(11 * 365 * DAY)
    await until(() => (serving(pod) === first ? undefined : true))
    assert.ok(pod.authorities.ready().ok)
    const second = serving(pod)
    await pod.stop()
    // Another replica whose clock is right finds certificates of the future.
    const right = await start()
    await until(() => (right.authorities.ready().ok ? true : undefined))
    assert.notEqual(serving(right), second)
    assert.equal(
      readCertificate(serving(right))?.validToDate.getFullYear(),
      new Date(Date.now() + 90 * DAY).getFullYear(),
    )
  })

  it('get a new authority beside the old one a year before its end, whose leaf serves until it is due', async () => {
    const pod = await start()
    await settled(pod)
    const old = pod.authorities.servingAuthority.bundle()
    await pod.clock.advance(9 * 365 * DAY - MINUTE)
    await until(() => (serving(pod) === '' ? undefined : leafAge(pod) < DAY || undefined))
    const leaf = serving(pod)
    await pod.clock.advance(3 * MINUTE)
    const both = await until(() => {
      const bundle = pod.authorities.servingAuthority.bundle()
      return bundle === old ? undefined : bundle
    })
    assert.ok(both.endsWith(old) && both.length > old.length)
    assert.equal(serving(pod), leaf)
    const { 'tls.crt': certificate = '', 'ca.crt': kept } = await secret()
    assert.equal(certificate, leaf)
    assert.equal(kept, both)
    await pod.clock.advance(60 * DAY)
    await until(() => (serving(pod) === leaf ? undefined : true))
    const newest = readCertificate(both)
    assert.ok(newest && readCertificate(serving(pod))?.checkIssued(newest))
  })

  for (const [what, damage, fault] of DAMAGES) {
    it(`are replaced, and the log says so, where the Secret has ${what}`, async () => {
      const pod = await start()
      await settled(pod)
      const before = serving(pod)
      await putSecret(await damage(await secret()))
      await pod.clock.advance(MINUTE)
      await until(() => (serving(pod) === before ? undefined : true))
      const { leaf, signer, faults } = readKeptAuthority(await secret(), {
        leafName: 'deckwatch.watch.svc',
        now: pod.clock.now(),
      })
      assert.deepEqual(faults, [])
      assert.ok(signer)
      assert.equal(leaf?.certificate, serving(pod))
      const told = pod.log.lines.filter(({ level }) => level === 'error')
      assert.match(told.map(({ message }) => message).join('\n'), fault)
      assertNoKey(pod.log)
    })
  }

  it('serve on while the Secret can be neither read nor written, and the probe says why', async () => {
    const pod = await start()
    await settled(pod)
    const before = serving(pod)
    const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/deckwatch`
    const { rules } = await cluster.admin.send<{ rules: object[] }>('GET', role)
    await cluster.admin.send('PATCH', role, { rules: [] })
    try {
      await until(async () => {
        await pod.clock.advance(MINUTE)
        return /secrets/.test(pod.authorities.ready().reason) || undefined
      })
      assert.ok(pod.authorities.ready().ok)
      assert.equal(serving(pod), before)
    } finally {
      await cluster.admin.send('PATCH', role, { rules })
    }
    await until(async () => {
      await pod.clock.advance(MINUTE)
      return !/secrets/.test(pod.authorities.ready().reason) || undefined
    })
  })

  describe('the caBundle of the APIService', () => {
    const written = (pod: Replica) =>
      until(async () => ((await caBundle()) === pod.authorities.servingAuthority.bundle() ? true : undefined))

    it('is written when the APIService comes, is written over, and comes again; nothing else of it is', async () => {
      const pod = await start(API_SERVICE)
      await settled(pod)
      await createApiService()
      await written(pod)
      const { metadata, spec } = await apiService()
      assert.ok(metadata.managedFields.some(({ manager }) => manager === 'deckwatch-companion'))
      assert.equal(spec.groupPriorityMinimum, 100)
      await cluster.admin.send('PATCH', API_SERVICE_PATH, {
        spec: { caBundle: Buffer.from('-').toString('base64') },
      })
      await pod.clock.advance(5000)
      await written(pod)
      await cluster.admin.text('DELETE', API_SERVICE_PATH)
      await pod.clock.advance(5000)
      await createApiService()
      await written(pod)
    })

    it('is not written to an APIService of another namespace, and none is made', async () => {
      const pod = await start(API_SERVICE)
      await settled(pod)
      await createApiService('elsewhere')
      await pod.clock.advance(5000)
      assert.equal(await caBundle(), '')
      await cluster.admin.text('DELETE', API_SERVICE_PATH)
      await pod.clock.advance(5000)
      await assert.rejects(apiService(), { status: 404 })
      // By then the others have been seen.
      await createApiService()
      await written(pod)
    })

    it('follows a new authority, and a replica that knows only the old one does not take it back', async () => {
      const [one, other] = [await start(API_SERVICE), await start(API_SERVICE)]
      await settled(one)
      await settled(other)
      await createApiService()
      await written(one)
      const old = one.authorities.servingAuthority.bundle()
      await putSecret({ 'ca.key': 'damaged' })
      await one.clock.advance(MINUTE)
      await until(() => (one.authorities.servingAuthority.bundle() === old ? undefined : true))
      await one.clock.advance(5000)
      await written(one)
      // The other one saw the APIService change, and looked at the Secret before it touched it.
      await other.clock.advance(5000)
      await written(other)
      assert.equal(other.authorities.servingAuthority.bundle(), one.authorities.servingAuthority.bundle())
    })
  })

  describe('the guard of the own namespace', () => {
    const guarded = async (name: string) => {
      await grantRights(cluster, name)
      return {
        transport: await transportAs(cluster, name, 'deckwatch'),
        namespace: name,
        apiService: API_SERVICE,
        clock: new ManualClock(),
        log: recordedLog(),
      }
    }

    it('removes the APIService when the namespace is deleted, so that this and other namespaces can end', async () => {
      const stopping = new AbortController()
      const running = guardNamespace(await guarded('ending'), stopping.signal)
      try {
        await createApiService('ending')
        await cluster.admin.text('DELETE', '/api/v1/namespaces/ending')
        await until(async () => (await isGone(API_SERVICE_PATH)) || undefined)
        await until(async () => (await isGone('/api/v1/namespaces/ending')) || undefined)
      } finally {
        stopping.abort()
        await running
      }
    })

    it('looks once more when the process ends, and leaves what is not its own', async () => {
      const guard = await guarded('ended')
      const signal = AbortSignal.timeout(10_000)
      await createApiService('ended')
      await checkNamespace(guard, signal)
      assert.ok(await apiService())
      // Something keeps the namespace while it ends.
      await cluster.admin.send('POST', '/api/v1/namespaces/ended/configmaps', {
        metadata: { name: 'kept', finalizers: ['example.org/kept'] },
      })
      await cluster.admin.text('DELETE', '/api/v1/namespaces/ended')
      await checkNamespace({ ...guard, transport: await adminTransport(cluster) }, signal)
      assert.ok(await isGone(API_SERVICE_PATH))
      await createApiService('elsewhere')
      await checkNamespace({ ...guard, transport: await adminTransport(cluster) }, signal)
      assert.ok(await apiService())
      await cluster.admin.text('DELETE', API_SERVICE_PATH)
      await cluster.admin.send('PATCH', '/api/v1/namespaces/ended/configmaps/kept', {
        metadata: { finalizers: null },
      })
    })

    const isGone = (path: string): Promise<boolean> =>
      cluster.admin.text('GET', path).then(
        () => false,
        (error: { status?: number }) => error.status === 404,
      )
  })
})

const leafAge = ({ authorities, clock }: Replica): number =>
  clock.now() - (readCertificate(authorities.serving.current().certificate)?.validFromDate.getTime() ?? 0)

async function adminTransport(cluster: ControlPlane): Promise<KubeTransport> {
  return connect(await loadConnection({ kubeconfig: cluster.adminKubeconfig }))
}

function assertNoKey(log: RecordedLog): void {
  assert.doesNotMatch(inspect(log.lines, { depth: 10 }), /PRIVATE|BEGIN/)
}
