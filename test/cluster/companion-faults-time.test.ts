import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1APIService } from '@kubernetes/client-node'
import { CompanionChurn } from '../kit/companion-churn.ts'
import { pointApiService } from '../kit/companion-cluster.ts'
import { type Companion, type CompanionOptions, companionPorts, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { ShiftedClock } from '../kit/shifted-clock.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Certificates are looked at every 36 to 54 s, and where one waits for another failures are repeated within 36 s. */
const RENEWED_MS = 150_000
const LIST = '/apis/deckwatch.dev/v1alpha1/images'

/**
 * The API server lives in the present, and the clock of the companion is not true. What must come to pass in months comes
 * to pass at once where the companion began in the past and its clock is put right: then its certificates have aged for
 * the API server too.
 */
describe('the clock of the companion', function () {
  this.timeout(600_000)
  const seed = Date.now() % 1_000_000
  let cluster: ControlPlane
  let clock: ShiftedClock
  const companions: Companion[] = []

  before(async function () {
    await requireKubernetes(this)
    // The companion must not find the API server's own certificates too old or too new.
    const validity = { notBefore: Date.now() - 15 * 365 * DAY_MS, notAfter: Date.now() + 365 * DAY_MS }
    cluster = await startControlPlane({ validity })
    clock = ShiftedClock.need(this, cluster.folder)
  })
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      for (const companion of companions) console.log(companion.logs().slice(-15))
    for (const companion of companions.splice(0).toReversed()) await companion.stop()
    clock?.set(0)
    await cluster?.kubectl(['delete', 'secrets,configmaps', '-n', 'deckwatch', '--all'])
    await cluster?.kubectl(['delete', 'pods', '-A', '--all', '--grace-period=0', '--force'])
  })
  after(() => cluster?.stop())

  const start = async (options: CompanionOptions = {}): Promise<Companion> => {
    const companion = await startCompanion(cluster, { register: false, env: clock.env, ...options })
    companions.push(companion)
    return companion
  }
  const answers = (): Promise<boolean> =>
    cluster.admin.text('GET', LIST).then(
      () => true,
      () => false,
    )
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (const end = Date.now() + RENEWED_MS; !(await holds()); await delay(200))
      if (Date.now() > end) assert.fail(`in vain: ${what}`)
  }
  /** Of the APIService, newest first. */
  const caBundle = async (): Promise<readonly X509Certificate[]> => {
    const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.deckwatch.dev'
    const { spec } = await cluster.admin.send<V1APIService>('GET', path)
    const pem = Buffer.from(spec?.caBundle ?? '', 'base64').toString()
    return (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n?/g) ?? []).map(
      (each) => new X509Certificate(each),
    )
  }
  const fingerprints = (bundle: readonly X509Certificate[]): readonly string[] =>
    bundle.map(({ fingerprint256 }) => fingerprint256)
  /** When the certificate ends, in days from now. */
  const daysLeft = async (companion: Companion, name: string): Promise<number> => {
    const found = (await companion.status()).certificates.find((certificate) => certificate.name === name)
    return (Date.parse(found?.notAfter ?? '') - Date.now()) / DAY_MS
  }
  const expectPlainAnswer = async (): Promise<void> => {
    const { exitCode, stderr, stdout } = await cluster.kubectl(['get', 'images', '-A'])
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /nginx/)
  }
  const seedPods = () =>
    createPods(cluster, [
      {
        metadata: { name: 'web', namespace: 'shop' },
        spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'nginx:1.25' }] },
      },
    ])

  it('jumps while pods come and go: ready all the time, nothing lost or doubled, and no age is negative', async () => {
    // The history of 7 days survives the jump of 40: nothing is removed for an age that is not confirmed.
    const companion = await start({ register: true })
    const { pid } = companion
    const churned = await CompanionChurn.start({ cluster, seed, cli: true })
    const ages = async (): Promise<void> => {
      for (const kind of ['images', 'clusterimageevents']) {
        const { stdout, stderr, exitCode } = await cluster.kubectl(['get', kind, '-A', '-o', 'wide'])
        assert.equal(exitCode, 0, stderr)
        const [header = '', ...rows] = stdout.trim().split('\n')
        assert.ok(rows.length > 0)
        for (const row of rows) {
          const from = row.slice(header.indexOf(' AGE') + 1)
          assert.match(from, /^(?:\d+[smhdy]){1,2}(?: |$)/, `${header}\n${row}`)
          assert.doesNotMatch(from, /invalid| -\d+[smhdy]\b/)
        }
      }
    }
    try {
      for (const offsetMs of [2 * HOUR_MS, -2 * HOUR_MS, 40 * DAY_MS, 0]) {
        const { events } = await churned.during({
          gaps: 0,
          atLeast: 20,
          async run() {
            const logged = companion.logs().length
            clock.set(offsetMs)
            for (let round = 0; round < 6; round += 1) {
              const { status, body } = await companion.ask('/readyz?verbose')
              assert.equal(status, 200, `${offsetMs} ms: ${body}`)
              await delay(300)
            }
            await ages()
            assert.ok(
              !companion
                .logs()
                .slice(logged)
                .some(({ level }) => level === 'error'),
            )
          },
        })
        assert.ok(events > 10, `${events} events at ${offsetMs} ms, seed ${seed}`)
        const event = (
          await cluster.admin.send<{ items: { time: string }[] }>(
            'GET',
            '/apis/deckwatch.dev/v1alpha1/clusterimageevents',
          )
        ).items.at(-1)
        const seenMs = Date.parse(event?.time ?? '') - offsetMs
        assert.ok(
          Math.abs(Date.now() - seenMs) < 120_000,
          `the clock is not at ${offsetMs} ms: ${event?.time}`,
        )
      }
      assert.equal(companion.pid, pid)
    } finally {
      await churned.stop()
    }
  })

  it('is past the end of the serving certificate: it is renewed under the running process', async () => {
    await seedPods()
    clock.set(-91 * DAY_MS)
    const companion = await start()
    await pointApiService(cluster.admin, companion.namespace, companion.ports.api)
    const { pid } = companion
    await until('the caBundle', async () => (await caBundle()).length === 1)
    const before = fingerprints(await caBundle())
    assert.ok((await daysLeft(companion, 'serving')) < 0)
    await assert.rejects(cluster.admin.text('GET', LIST), /503/)
    clock.set(0)
    await until('an answer', answers)
    await expectPlainAnswer()
    assert.ok((await daysLeft(companion, 'serving')) > 89)
    assert.deepEqual(fingerprints(await caBundle()), before)
    assert.equal(companion.pid, pid)
    await companion.untilReady()
  })

  it('comes to the last month of the serving certificate: it is renewed, and every request is answered', async () => {
    await seedPods()
    clock.set(-70 * DAY_MS)
    const companion = await start({ register: true })
    const before = fingerprints(await caBundle())
    assert.ok((await daysLeft(companion, 'serving')) < 21)
    clock.set(0)
    await until('a new certificate', async () => {
      await cluster.admin.text('GET', LIST)
      assert.equal((await companion.ask('/readyz')).status, 200)
      return (await daysLeft(companion, 'serving')) > 89
    })
    await expectPlainAnswer()
    assert.deepEqual(fingerprints(await caBundle()), before)
  })

  it('comes to the last year of the authority: both are believed, and the API server is answered again', async () => {
    await seedPods()
    // Nine years are 3,285 days.
    clock.set(-3300 * DAY_MS)
    const companion = await start()
    await pointApiService(cluster.admin, companion.namespace, companion.ports.api)
    const { pid } = companion
    await until('the caBundle', async () => (await caBundle()).length === 1)
    const [old] = await caBundle()
    clock.set(0)
    await until('an answer', answers)
    await expectPlainAnswer()
    const [added, kept, ...others] = await caBundle()
    assert.equal(kept?.fingerprint256, old?.fingerprint256)
    assert.notEqual(added?.fingerprint256, old?.fingerprint256)
    assert.deepEqual(others, [])
    assert.ok((await daysLeft(companion, 'serving authority')) > 3600)
    assert.ok((await daysLeft(companion, 'serving')) > 89)
    assert.equal(companion.pid, pid)
  })

  it('is past the end of all leaves of pods apart, or before their beginning: they find each other again', async () => {
    await seedPods()
    clock.set(-91 * DAY_MS)
    const ports = await companionPorts()
    const peers = { 'image-graph': ports.peer }
    const api = await start({ components: ['api'], peers })
    const other = await start({ components: ['api'], peers })
    const rooms = await start({ components: ['image-graph'], ports, leafPort: api.ports.api })
    const pids = companions.map(({ pid }) => pid)
    await until('the caBundle', async () => {
      await pointApiService(cluster.admin, api.namespace, api.ports.api)
      return (await caBundle()).length === 1
    })
    // The second time nothing has begun yet, by the clock of those who made it.
    for (const offsetMs of [0, -2 * HOUR_MS]) {
      clock.set(offsetMs)
      for (const companion of [api, other, rooms]) {
        await until('a peer certificate of this time', async () => {
          const { certificates } = await companion.status()
          const { notBefore = '', notAfter = '' } = certificates.find(({ name }) => name === 'peer') ?? {}
          const now = Date.now() + offsetMs
          return Date.parse(notBefore) <= now && now < Date.parse(notAfter)
        })
        await companion.untilReady()
      }
      for (const { ports: target } of [api, other]) {
        await pointApiService(cluster.admin, api.namespace, target.api)
        await until(`an answer through ${target.api}`, answers)
        await expectPlainAnswer()
      }
    }
    assert.deepEqual(
      companions.map(({ pid }) => pid),
      pids,
    )
  })
})
