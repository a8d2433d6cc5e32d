import assert from 'node:assert/strict'
import { readStatus, type StatusFacts } from '../../../src/cli/features/deckwatch/read-status.ts'
import { statusLines } from '../../../src/cli/features/deckwatch/status-lines.ts'
import { findProblems, findWarnings } from '../../../src/cli/features/deckwatch/status-problems.ts'
import type { CompanionStatus } from '../../../src/core/wire/companion-status.ts'
import { discovery, installedObjects, object, OWN, VALUES } from './companion-objects.ts'
import { MemoryCluster } from './memory-cluster.ts'

const { signal } = new AbortController()
const NOW = Date.UTC(2026, 10, 21)
const GROUP = '/apis/deckwatch.dev/v1alpha1'
const STATUSZ = '/api/v1/namespaces/deckwatch/pods/https:deckwatch-1:10250/proxy/statusz'
const QUERY = { namespace: undefined, ownNamespace: 'shop', cliVersion: '0.1.0' }

const STATUS: CompanionStatus = {
  version: '0.1.0',
  pod: 'deckwatch-1',
  startedAt: '2026-11-20T00:00:00Z',
  components: [
    { name: 'api', ready: true, alive: true, reason: '' },
    {
      name: 'image-graph',
      ready: true,
      alive: true,
      reason: '',
      store: {
        usedBytes: 64 << 20,
        limitBytes: 256 << 20,
        oldest: '2026-11-12T08:00:00Z',
        bytesPerDay: 3 << 20,
      },
    },
  ],
  volume: { sizeBytes: 5 * 2 ** 30, freeBytes: 4 * 2 ** 30 },
  certificates: [
    {
      name: 'serving',
      notBefore: '2026-11-19T00:00:00Z',
      notAfter: '2027-02-17T00:00:00Z',
      renewAt: '2027-01-18T00:00:00Z',
    },
    ...['serving authority', 'peer authority'].map((name) => ({
      name,
      notBefore: '2026-11-19T00:00:00Z',
      notAfter: '2036-11-16T00:00:00Z',
      renewAt: '2035-11-17T00:00:00Z',
    })),
  ],
}

/** An installation that is well. */
class WellCluster extends MemoryCluster {
  statusz: Partial<CompanionStatus> = {}
  broken = new Map<string, { status: number; body?: string }>()

  constructor() {
    super()
    this.put(
      ...installedObjects(),
      object(
        'v1',
        'Pod',
        { name: 'deckwatch-1', namespace: 'deckwatch', labels: OWN },
        {
          spec: { nodeName: 'node-1', containers: [{ ports: [{ name: 'api', containerPort: 10250 }] }] },
          status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        },
      ),
    )
    this.answers = (path) => {
      const broken = this.broken.get(path.split('?')[0] ?? '')
      if (broken) return broken
      if (path === '/version') return { body: JSON.stringify({ gitVersion: 'v1.35.4' }) }
      if (path === GROUP) return { body: discovery('images') }
      if (path === STATUSZ) return { body: JSON.stringify({ ...STATUS, ...this.statusz }) }
      return path.startsWith(GROUP) ? { body: '{}' } : undefined
    }
  }
}

const read = (cluster: MemoryCluster): Promise<StatusFacts> => readStatus(cluster, QUERY, signal)

const problemsOf = async (cluster: MemoryCluster): Promise<readonly string[]> =>
  findProblems(await read(cluster), NOW).map(
    ({ about, text, mend }) => `${about} ${text}${mend === undefined ? '' : ` => ${mend}`}`,
  )

const screenOf = async (cluster: MemoryCluster): Promise<Readonly<Record<string, string>>> => {
  const facts = await read(cluster)
  const lines = statusLines(
    { ...facts, problems: findProblems(facts, NOW), warnings: findWarnings(facts, NOW) },
    NOW,
  )
  return Object.fromEntries(lines.map(({ label, text }) => [label, text]))
}

describe('the status of the companion', () => {
  it('is a screen of facts where all is well', async () => {
    const cluster = new WellCluster()
    assert.deepEqual(await problemsOf(cluster), [])
    assert.deepEqual(await screenOf(cluster), {
      companion: '1/1 in deckwatch   0.1.0 (CLI 0.1.0)   Kubernetes 1.35.4',
      api: 'images answers (4 ms)',
      'image-graph': 'ready',
      store: '64 MiB of 256 MiB since 2026-11-12, 64 d left at this rate; volume: 4.0 GiB of 5.0 GiB free',
      certificates: 'serving 2 d old, renews in 58 d; authorities renew in 8 y',
      you: 'may list images in all namespaces',
    })
  })

  it('says whose a store is where there are several', async () => {
    const cluster = new WellCluster()
    const store = { usedBytes: 1 << 20, limitBytes: 1 << 30 }
    const recorder = { name: 'audit-log', ready: true, alive: true, reason: '', store }
    cluster.statusz = { components: [...STATUS.components, recorder] }
    assert.match(
      (await screenOf(cluster))['store'] ?? '',
      /^image-graph 64 MiB of 256 MiB .*; audit-log 1\.0 MiB of 1\.0 GiB; volume: /,
    )
  })

  it('calls a certificate new that was made just now, though it holds for an hour already', async () => {
    const cluster = new WellCluster()
    const notBefore = new Date(NOW - 3_600_000).toISOString()
    const certificates = STATUS.certificates.map((certificate) => ({ ...certificate, notBefore }))
    cluster.statusz = { ...STATUS, certificates }
    assert.match((await screenOf(cluster))['certificates'] ?? '', /^serving new, renews in 58 d;/)
  })

  it('tells what the caller may do, here and everywhere', async () => {
    const cluster = new WellCluster()
    cluster.allows = ({ namespace }) => namespace === 'shop'
    assert.equal((await screenOf(cluster))['you'], 'may list images in namespace shop')
    cluster.allows = ({ group }) => group === 'deckwatch.dev'
    assert.equal(
      (await screenOf(cluster))['you'],
      'may not list images in namespace shop: the right to list pods is missing',
    )
  })

  it('tells the right to what is served', async () => {
    const cluster = new WellCluster()
    cluster.broken.set(GROUP, { status: 200, body: discovery('changes', 'clusterchanges') })
    assert.equal((await screenOf(cluster))['you'], 'may list changes in all namespaces')
    cluster.broken.set(GROUP, { status: 200, body: discovery('images', 'changes') })
    cluster.allows = ({ resource }) => resource !== 'changes'
    assert.equal(
      (await screenOf(cluster))['you'],
      'may list images in all namespaces; may not list changes in namespace shop: the right to list changes.deckwatch.dev is missing',
    )
  })

  it('goes without what the caller may not see, and names it', async () => {
    const cluster = new WellCluster()
    for (const plural of [
      'apiservices',
      'deployments',
      'pods',
      'events',
      'persistentvolumeclaims',
      'namespaces',
      'services',
    ])
      cluster.hidden.add(plural)
    assert.deepEqual(await problemsOf(cluster), [])
    const screen = await screenOf(cluster)
    assert.equal(screen['companion'], 'not seen (CLI 0.1.0)   Kubernetes 1.35.4')
    assert.equal(screen['api'], 'images answers (4 ms)')
    assert.match(screen['not seen'] ?? '', /^apiservices; .*pods in namespace deckwatch/)
    cluster.broken.set(GROUP, { status: 403, body: '{"message":"no"}' })
    const { api } = await read(cluster)
    assert.equal(api.answers, undefined)
  })

  it('counts what it may not ask of a pod among what it could not see', async () => {
    const cluster = new WellCluster()
    cluster.broken.set(STATUSZ, { status: 403 })
    assert.match((await read(cluster)).unseen.join(), /pods\/proxy in namespace deckwatch/)
    cluster.broken.set(STATUSZ, { status: 200, body: '<html>' })
    assert.match((await read(cluster)).unseen.join(), /deckwatch-1 tells of itself \(no JSON\)/)
    assert.deepEqual(await problemsOf(cluster), [])
  })

  it('knows that there is none, also of those who may not read APIServices', async () => {
    const cluster = new MemoryCluster()
    const none = ['companion there is none in this cluster => kubectl deckwatch install']
    assert.deepEqual(await problemsOf(cluster), none)
    cluster.hidden.add('apiservices')
    assert.deepEqual(await problemsOf(cluster), none)
  })

  it('tells why the group does not answer, and which namespaces wait for it', async () => {
    const cluster = new WellCluster()
    cluster.broken.set(`${GROUP}/images`, {
      status: 503,
      body: 'error trying to reach service: x509: unknown authority',
    })
    const held = {
      conditions: [
        {
          type: 'NamespaceDeletionDiscoveryFailure',
          status: 'True',
          message: 'unable to retrieve deckwatch.dev/v1alpha1',
        },
      ],
    }
    for (const name of ['a', 'b', 'c', 'd'])
      cluster.put(object('v1', 'Namespace', { name }, { status: held }))
    const [api = '', namespaces] = await problemsOf(cluster)
    assert.match(
      api,
      /^api does not answer: 503 error trying to reach service: x509: unknown authority\. The companion writes/,
    )
    assert.equal(
      namespaces,
      'namespaces a, b, c and 1 more cannot be deleted while the API group does not answer => kubectl delete apiservice v1alpha1.deckwatch.dev',
    )
  })

  it('names a registration whose Service or pods are gone', async () => {
    const gone = new WellCluster()
    gone.broken.set(GROUP, { status: 503, body: 'gone' })
    for (const name of gone.names) {
      if (name.startsWith('services/')) gone.drop(await refIn(gone, 'Service'))
    }
    assert.match(
      (await problemsOf(gone))[0] ?? '',
      /^api its registration is left over: service deckwatch in namespace deckwatch is gone.*=> kubectl delete apiservice/,
    )
    const empty = new WellCluster()
    empty.broken.set(GROUP, { status: 503, body: 'gone' })
    empty.drop(await refIn(empty, 'Deployment'))
    assert.match((await problemsOf(empty))[0] ?? '', /every Deployment is gone/)
  })

  it('tells pods without a registration, and how to register', async () => {
    const cluster = new WellCluster()
    cluster.drop(await refIn(cluster, 'APIService'))
    cluster.broken.set(GROUP, { status: 404, body: '404 page not found' })
    assert.deepEqual(await problemsOf(cluster), [
      'api the pods are there, but the API group is not registered => kubectl deckwatch install',
    ])
  })

  it('tells a Deployment that is scaled away, or whose pods are not all ready', async () => {
    const cluster = new WellCluster()
    const [deployment] = (await cluster.list({ kind: (await refIn(cluster, 'Deployment')).kind })) ?? []
    assert.ok(deployment)
    const spec = deployment['spec'] as object
    cluster.put({ ...deployment, spec: { ...spec, replicas: 0 } })
    assert.match((await problemsOf(cluster))[0] ?? '', /is scaled to 0 => .*--replicas 1/)
    cluster.put({ ...deployment, spec: { ...spec, replicas: 3 } })
    assert.match((await problemsOf(cluster))[0] ?? '', /1 of 3 pods are ready => .*rollout status/)
  })

  it('does not count an old pod that takes its time', async () => {
    const cluster = new WellCluster()
    const old = {
      name: 'deckwatch-0',
      namespace: 'deckwatch',
      labels: OWN,
      deletionTimestamp: '2026-11-21T00:00:00Z',
    }
    cluster.put(object('v1', 'Pod', old))
    assert.deepEqual(await problemsOf(cluster), [])
  })

  for (const [what, statusz, said] of [
    [
      'a component that is not ready',
      { components: [{ name: 'image-graph', ready: false, alive: true, reason: 'listing' }] },
      /^image-graph is not ready: listing => kubectl -n deckwatch logs deckwatch-1/,
    ],
    [
      'a component that does not get on',
      { components: [{ name: 'image-graph', ready: true, alive: false, reason: 'no step for 3m' }] },
      /^image-graph does not get on: no step for 3m/,
    ],
    [
      'a certificate that has ended',
      { certificates: [{ ...STATUS.certificates[0], notAfter: '2026-11-20T00:00:00Z' }] },
      /^certificates serving of pod deckwatch-1 ended on 2026-11-20 => kubectl -n deckwatch delete pod/,
    ],
    [
      'a certificate that was not renewed',
      { certificates: [{ ...STATUS.certificates[0], renewAt: '2026-11-18T00:00:00Z' }] },
      /^certificates serving of pod deckwatch-1 was due for renewal on 2026-11-18/,
    ],
    [
      'a volume that is nearly full',
      { volume: { sizeBytes: 1000, freeBytes: 40 } },
      /^store the disk of node node-1 under pod deckwatch-1 is 96 % full => kubectl describe node node-1$/,
    ],
    [
      'an older companion',
      { version: '0.3.2' },
      /^versions the companion is 0\.3\.2 and this command 0\.1\.0: one minor version apart is supported => kubectl krew upgrade/,
    ],
  ] as const) {
    it(`tells ${what}`, async () => {
      const cluster = new WellCluster()
      cluster.statusz = statusz as Partial<CompanionStatus>
      const problems = await problemsOf(cluster)
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0] ?? '', said)
    })
  }

  it('tells apart what is to be mended and what went wrong and is over', async () => {
    const cluster = new WellCluster()
    const recording = {
      since: '2026-11-20T00:00:00Z',
      webhook: { ok: true, reason: '', since: '2026-11-20T00:00:00Z' },
      journal: { usedBytes: 0, limitBytes: 1, entriesBehind: 0 },
      lastHour: { reviews: 9, dropped: 0, unattributed: 1 },
      lastTenMinutes: { reviews: 2, dropped: 0, unattributed: 0 },
      gaps: [],
    }
    cluster.statusz = {
      components: [
        { name: 'audit-log', ready: true, alive: true, reason: '', recording },
        { name: 'image-graph', ready: false, alive: true, reason: 'listing' },
      ],
    }
    const facts = await read(cluster)
    const [problems, warnings] = [findProblems(facts, NOW), findWarnings(facts, NOW)]
    assert.deepEqual(
      [problems.map(({ about }) => about), warnings.map(({ about }) => about)],
      [['image-graph'], ['webhook']],
    )
    const lines = statusLines({ ...facts, problems, warnings }, NOW).filter(({ level }) => level !== 'well')
    assert.deepEqual(
      lines.map(({ label, level }) => `${label} ${level}`),
      ['webhook past', 'image-graph bad'],
    )
  })

  it('takes one minor version apart, and a version that is none, as they are', async () => {
    const cluster = new WellCluster()
    for (const version of ['0.2.9', '0.1.0', 'development']) {
      cluster.statusz = { version }
      assert.deepEqual(await problemsOf(cluster), [])
    }
    cluster.statusz = { version: '1.1.0' }
    assert.equal((await problemsOf(cluster)).length, 1)
  })

  it("points to Helm where the companion is Helm's", async () => {
    const cluster = new WellCluster()
    const labels = { ...OWN, 'app.kubernetes.io/managed-by': 'Helm' }
    const annotations = { 'meta.helm.sh/release-name': 'dw', 'meta.helm.sh/release-namespace': 'tools' }
    const [deployment] = await cluster.list({ kind: (await refIn(cluster, 'Deployment')).kind })
    assert.ok(deployment)
    cluster.put({ ...deployment, metadata: { ...deployment.metadata, labels, annotations } })
    cluster.drop(await refIn(cluster, 'APIService'))
    cluster.broken.set(GROUP, { status: 404 })
    assert.match((await problemsOf(cluster))[0] ?? '', /=> helm upgrade dw CHART -n tools$/)
    assert.deepEqual((await read(cluster)).helm, { name: 'dw', namespace: 'tools' })
  })

  it('looks where the registration points', async () => {
    const cluster = new MemoryCluster()
    cluster.put(...installedObjects({ ...VALUES, namespace: 'tools' }))
    assert.equal((await read(cluster)).namespace, 'tools')
  })
})

async function refIn(cluster: MemoryCluster, kind: 'Service' | 'Deployment' | 'APIService') {
  const { KINDS, refOf } = await import('../../../src/cli/features/deckwatch/kinds.ts')
  const [found] = await cluster.list({ kind: KINDS[kind] })
  assert.ok(found)
  return refOf(found)
}
