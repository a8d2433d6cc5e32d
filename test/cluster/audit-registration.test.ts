import assert from 'node:assert/strict'
import { RECORDED_RESOURCES } from '../../server/audit-log/recorded-resources.ts'
import {
  createRegistration,
  type Registration,
  type RegistrationState,
} from '../../server/audit-log/registration/registration.ts'
import type { WebhookOptions } from '../../server/audit-log/registration/webhooks-of.ts'
import { DEFAULT_VALUES, manifests } from '../../server/deploy/index.ts'
import type { KubeRequest, KubeResponse, KubeTransport } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import { systemClock } from '../../src/core/lib/time.ts'
import { RECORDS_ALL } from '../kit/audit-config.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { recordedLog, type RecordedLog } from '../kit/recorded-log.ts'
import { type ReviewReceiver, startReviewReceiver } from '../kit/review-receiver.ts'
import { grantRights, transportAs, until } from './kit-world.ts'

const NAME = 'deckwatch-audit-log'
const PATH = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${NAME}`
const COMPONENTS = ['audit-log']

type Choice = Partial<WebhookOptions['config']>

interface Stored {
  readonly metadata: { readonly uid: string; readonly labels: Readonly<Record<string, string>> }
  readonly webhooks?: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[]
}

interface Running {
  readonly registration: Registration
  readonly states: RegistrationState[]
  readonly log: RecordedLog
  ready: boolean
  bundle: string
  /** Tells that the bundle is another. */
  renew(): void
  stop(): Promise<void>
}

describe('the registration of the audit log, on a real API server', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let receiver: ReviewReceiver
  let transport: CuttableTransport
  const running: Running[] = []
  const namespace = 'deckwatch'
  let round = 0

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    await grantRights(cluster, namespace, { components: COMPONENTS })
    transport = new CuttableTransport(await transportAs(cluster, namespace, 'deckwatch'))
    receiver = await startReviewReceiver(cluster.admin, namespace, 'deckwatch')
    for (const name of ['shop', 'shop-2', 'scratch-a', 'probe']) await ensureNamespace(cluster.admin, name)
  })

  after(async () => {
    transport?.close()
    await receiver?.stop()
    await cluster?.stop()
  })

  beforeEach(putEmpty)

  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop()
    await cluster.admin.text('DELETE', PATH).catch(() => undefined)
  })

  /** As install and chart do. */
  async function putEmpty(): Promise<void> {
    const made = manifests({ ...DEFAULT_VALUES, namespace, components: COMPONENTS })
    const object = made.find(({ path }) => path === PATH)?.object
    const { exitCode, stderr } = await cluster.kubectl(
      ['apply', '--server-side', '--field-manager=deckwatch-install', '-f', '-'],
      { input: JSON.stringify(object) },
    )
    assert.equal(exitCode, 0, stderr)
  }

  function start(config: Choice = {}, isReady = true): Running {
    const [log, stopping, states] = [recordedLog(), new AbortController(), [] as RegistrationState[]]
    const listeners = new Set<() => void>()
    round += 1
    const path = `/audit/round-${round}`
    const one: Omit<Running, 'registration' | 'stop'> = {
      states,
      log,
      ready: isReady,
      bundle: receiver.bundle,
      renew: () => {
        for (const listener of listeners) listener()
      },
    }
    const registration = createRegistration({
      transport,
      name: NAME,
      namespace,
      webhooks: () => ({
        config: {
          ...RECORDS_ALL,
          ...config,
        },
        resources: RECORDED_RESOURCES,
        service: receiver.service,
        path,
        ownNamespaces: [namespace],
        ownUsers: [`system:serviceaccount:${namespace}:deckwatch`],
      }),
      authority: {
        bundle: () => whole.bundle,
        onChange: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
        refresh: async () => undefined,
      },
      ready: () => whole.ready,
      clock: systemClock,
      log,
      random: () => 0.5,
    })
    registration.onChange((state) => states.push(state))
    const ended = registration.run(stopping.signal)
    const whole: Running = Object.assign(one, {
      registration,
      async stop() {
        stopping.abort()
        await ended
      },
    })
    running.push(whole)
    return whole
  }

  const stored = (): Promise<Stored> => cluster.admin.send<Stored>('GET', PATH)
  const registered = (one: Running) => until(() => one.registration.registered().ok || undefined)

  /** Waits until this round's webhook is asked, which takes the API server a moment after it was written. */
  async function inForce(one: Running, as = ACTORS.alice): Promise<void> {
    await registered(one)
    const path = `/audit/round-${round}`
    let tries = 0
    await until(async () => {
      await kubectl(as, 'create', 'configmap', `round-${round}-${(tries += 1)}`, '-n', 'shop')
      return receiver.reviews.some((review) => review.path === path) || undefined
    })
    receiver.reviews.length = 0
  }

  async function kubectl(as: readonly string[], ...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await cluster.kubectl([...as, ...args])
    return stdout + stderr
  }

  /**
   * What was asked, as `UPDATE deployments/scale alice`, of the reviews that came meanwhile; once, since the API server asks
   * again when a write has to be tried again, and without what controllers did about it.
   */
  async function asked(work: () => Promise<unknown>): Promise<readonly string[]> {
    receiver.reviews.length = 0
    await work()
    const lines = receiver.reviews
      .filter(
        ({ request: { userInfo, resource } }) => resource.resource === 'pods' || !isController(userInfo),
      )
      .map(({ request: { operation, resource, subResource, userInfo, dryRun } }) => {
        const thing = subResource ? `${resource.resource}/${subResource}` : resource.resource
        return `${operation} ${thing} ${userInfo.username}${dryRun ? ' (dry run)' : ''}`
      })
    return [...new Set(lines)]
  }

  const as = (user: string, ...more: readonly string[]): readonly string[] => [
    `--as=${user}`,
    // So that they may do anything: whose writes are recorded has nothing to do with their rights.
    '--as-group=system:masters',
    ...more,
  ]
  const ACTORS = {
    alice: as('alice'),
    robot: as('CN=robot,O=ci'),
    service: as('svc-build'),
    bot: as('bob', '--as-group=bots-eu'),
    auditor: as('carol', '--as-user-extra=example.org/role=auditor'),
    reader: as('carol', '--as-user-extra=example.org/role=reader'),
    dev: as('dev-1'),
    operator: as('system:serviceaccount:shop:operator'),
    companion: as(`system:serviceaccount:${namespace}:deckwatch`),
    node: as('system:node:n1'),
    controller: as('system:serviceaccount:kube-system:replicaset-controller'),
    scheduler: as('system:kube-scheduler'),
  }
  const configMap =
    (actor: readonly string[], name: string, where = 'shop') =>
    () =>
      kubectl(actor, 'create', 'configmap', name, '-n', where)
  const pod = (actor: readonly string[], name: string) => () =>
    kubectl(actor, 'run', name, '--image=a.example/b', '-n', 'shop')

  describe('what is sent', () => {
    it('is each write of what is recorded, with its subresources, and nothing of the cluster’s own beat', async () => {
      await inForce(start())
      const { alice } = ACTORS
      assert.deepEqual(await asked(configMap(alice, 'plain')), ['CREATE configmaps alice'])
      assert.deepEqual(await asked(configMap(alice, 'own', namespace)), [])
      assert.deepEqual(await asked(configMap(alice, 'heart', 'kube-system')), [])
      assert.deepEqual(await asked(configMap(ACTORS.companion, 'by-itself')), [])
      assert.deepEqual(
        await asked(() => kubectl(alice, 'create', 'deployment', 'web', '--image=a.example/b', '-n', 'shop')),
        ['CREATE deployments alice'],
      )
      assert.deepEqual(
        await asked(() => kubectl(alice, 'scale', 'deployment', 'web', '--replicas=0', '-n', 'shop')),
        ['UPDATE deployments/scale alice'],
      )
      const status = ['--subresource=status', '--type=merge', '-p', '{"status":{"replicas":0}}']
      assert.deepEqual(
        await asked(() => kubectl(alice, 'patch', 'deployment', 'web', '-n', 'shop', ...status)),
        [],
      )
      assert.deepEqual(
        await asked(() => kubectl(alice, 'create', 'configmap', 'dry', '-n', 'shop', '--dry-run=server')),
        ['CREATE configmaps alice (dry run)'],
      )
      const role = ['clusterrole', 'looker', '--verb=get', '--resource=pods']
      assert.deepEqual(await asked(() => kubectl(alice, 'create', ...role)), ['CREATE clusterroles alice'])
      assert.deepEqual(await asked(() => kubectl(alice, 'create', 'namespace', 'fresh')), [
        'CREATE namespaces alice',
      ])
    })

    it('has of pods what people and operators do, not what nodes and controllers do', async () => {
      await inForce(start())
      assert.deepEqual(await asked(pod(ACTORS.alice, 'p1')), ['CREATE pods alice'])
      assert.deepEqual(await asked(pod(ACTORS.operator, 'p2')), [
        'CREATE pods system:serviceaccount:shop:operator',
      ])
      for (const name of ['node', 'controller', 'scheduler'] as const) {
        assert.deepEqual(await asked(pod(ACTORS[name], `by-${name}`)), [], name)
      }
      const gone = () => kubectl(ACTORS.alice, 'delete', 'pod', 'p2', '-n', 'shop', '--force', '--wait=false')
      assert.deepEqual(await asked(gone), ['DELETE pods alice'])
    })

    it('leaves out who is excluded: by name, pattern, group, namespace and extra', async () => {
      const auditExclude = {
        users: ['CN=robot,O=ci', 'svc-*'],
        groups: ['bots-*'],
        namespaces: ['scratch-*', 'shop-2'],
        extra: ['example.org/role=audit*'],
      }
      await inForce(start({ auditExclude }))
      const { alice, robot, service, bot, auditor, reader } = ACTORS
      assert.deepEqual(await asked(configMap(alice, 'x-alice')), ['CREATE configmaps alice'])
      assert.deepEqual(await asked(configMap(reader, 'x-reader')), ['CREATE configmaps carol'])
      for (const [name, actor] of Object.entries({ robot, service, bot, auditor })) {
        assert.deepEqual(await asked(configMap(actor, `x-${name}`)), [], name)
      }
      assert.deepEqual(await asked(configMap(alice, 'x', 'scratch-a')), [])
      assert.deepEqual(await asked(configMap(alice, 'x', 'shop-2')), [])
      assert.deepEqual(await asked(() => kubectl(alice, 'create', 'namespace', 'scratch-b')), [])
      assert.deepEqual(await asked(() => kubectl(alice, 'create', 'namespace', 'x-other')), [
        'CREATE namespaces alice',
      ])
    })

    it('is only what matches one of each kind that is included', async () => {
      const auditInclude = {
        users: ['dev-*'],
        groups: ['system:masters', 'nobody'],
        namespaces: ['shop*'],
        extra: [],
      }
      await inForce(start({ auditInclude }), ACTORS.dev)
      assert.deepEqual(await asked(configMap(ACTORS.dev, 'i-dev')), ['CREATE configmaps dev-1'])
      assert.deepEqual(await asked(configMap(ACTORS.dev, 'i-dev', 'shop-2')), ['CREATE configmaps dev-1'])
      assert.deepEqual(await asked(configMap(ACTORS.alice, 'i-alice')), [])
      assert.deepEqual(await asked(configMap(ACTORS.dev, 'i-dev', 'probe')), [])
      const label = () => kubectl(ACTORS.dev, 'label', 'namespace', 'shop', 'a=b', '--overwrite')
      assert.deepEqual(await asked(label), ['UPDATE namespaces dev-1'])
      const role = ['clusterrole', 'i-looker', '--verb=get', '--resource=pods']
      assert.deepEqual(await asked(() => kubectl(ACTORS.dev, 'create', ...role)), [])
    })

    it('is what the conditions of users let through', async () => {
      const expression =
        '!(request.resource.resource == "configmaps" && request.operation == "DELETE") && object != oldObject'
      await inForce(start({ auditConditions: [{ name: 'mine', expression }] }))
      assert.deepEqual(await asked(configMap(ACTORS.alice, 'c')), ['CREATE configmaps alice'])
      assert.deepEqual(await asked(() => kubectl(ACTORS.alice, 'delete', 'configmap', 'c', '-n', 'shop')), [])
    })

    it('has access to pods where that is recorded', async () => {
      await inForce(start({ auditAccess: true }))
      await pod(ACTORS.alice, 'entered')()
      const lines = await asked(() => kubectl(ACTORS.alice, 'exec', 'entered', '-n', 'shop', '--', 'true'))
      assert.ok(lines.includes('CONNECT pods/exec alice'), lines.join())
    })

    it('takes 48 conditions beside the longest lists', async () => {
      const many = (prefix: string) => Array.from({ length: 200 }, (_, index) => `${prefix}-${index}`)
      const all = {
        users: [...many('user'), 'some-*-one'],
        groups: many('group'),
        namespaces: many('*-ns'),
        extra: many('k=v'),
      }
      const auditConditions = Array.from({ length: 48 }, (_, index) => ({
        name: `mine-${index}`,
        expression: 'request.operation != "X"',
      }))
      await inForce(start({ auditExclude: all, auditConditions }))
      const [webhook] = (await stored()).webhooks ?? []
      assert.equal((webhook?.['matchConditions'] as unknown[] | undefined)?.length, 54)
    })

    it('had no condition that failed, which would skip a review without a word', async () => {
      const metrics = await cluster.admin.text('GET', '/metrics')
      const counted = metrics
        .split('\n')
        .filter(
          (line) => line.startsWith('apiserver_admission_match_condition_') && line.includes('deckwatch.dev'),
        )
      assert.ok(counted.some((line) => line.includes('_exclusions_total')))
      assert.deepEqual(
        counted.filter((line) => line.includes('_errors_total')),
        [],
      )
    })
  })

  describe('the configuration', () => {
    it('stays empty until reviews can be recorded', async () => {
      const one = start({}, false)
      await until(
        () => one.registration.registered().reason === 'reviews cannot be recorded yet' || undefined,
      )
      assert.equal((await stored()).webhooks, undefined)
      one.ready = true
      one.registration.look()
      await registered(one)
      assert.deepEqual(
        (await stored()).webhooks?.map(({ name }) => name),
        ['changes.audit-log.deckwatch.dev'],
      )
    })

    it('is mended when others edit it, also beside our fields, and since when it was wrong is told', async () => {
      const one = start()
      await registered(one)
      const before = await stored()
      for (const edit of [
        { timeoutSeconds: 30, failurePolicy: 'Fail' },
        { objectSelector: { matchLabels: { recorded: 'yes' } } },
        { rules: [] },
      ]) {
        one.states.length = 0
        const began = systemClock.now()
        const [webhook] = before.webhooks ?? []
        await cluster.admin.text('PATCH', PATH, { webhooks: [{ ...webhook, ...edit }] })
        await until(() => (one.states.at(-1)?.ok && one.states.at(-2)?.ok === false) || undefined)
        assert.deepEqual((await stored()).webhooks, before.webhooks, JSON.stringify(edit))
        const wrong = one.states.at(-2)
        assert.ok(wrong && wrong.since >= began && wrong.since <= systemClock.now())
      }
    })

    for (const history of ['is there', 'is gone']) {
      it(`tells what others did and undid while nobody could look, where the history of it ${history}`, async () => {
        await tellsWhatWasUndone(history === 'is gone')
      })
    }

    async function tellsWhatWasUndone(isHistoryGone: boolean): Promise<void> {
      const one = start()
      await registered(one)
      const [webhook] = (await stored()).webhooks ?? []
      one.states.length = 0
      const cut = systemClock.now()
      transport.cut()
      await cluster.admin.text('PATCH', PATH, { webhooks: [{ ...webhook, rules: [] }] })
      await cluster.admin.text('PATCH', PATH, { webhooks: [webhook] })
      if (isHistoryGone) await cluster.expireResourceVersions()
      transport.mend()
      await until(() => one.states.at(-1)?.ok || undefined)
      const wrong = one.states.find(({ ok }) => !ok)
      assert.ok(wrong && wrong.since >= cut - 1000 && wrong.since <= systemClock.now())
      assert.deepEqual((await stored()).webhooks, [webhook])
      if (isHistoryGone) assert.match(wrong.reason, /changed back/)
    }

    it('loses what others add to it', async () => {
      const one = start()
      await registered(one)
      const { webhooks = [] } = await stored()
      one.states.length = 0
      await cluster.admin.text('PATCH', PATH, {
        webhooks: [...webhooks, { ...webhooks[0], name: 'other.example.org' }],
      })
      await until(() => (one.states.at(-1)?.ok && one.states.at(-2)?.ok === false) || undefined)
      assert.deepEqual((await stored()).webhooks, webhooks)
    })

    it('is not made again when somebody deletes it, and is filled when it is brought again', async () => {
      const one = start()
      await registered(one)
      await cluster.admin.text('DELETE', PATH)
      await until(() => !one.registration.registered().ok || undefined)
      assert.match(one.registration.registered().reason, /deckwatch-audit-log is not there/)
      one.registration.look()
      await assert.rejects(stored())
      await putEmpty()
      await registered(one)
      assert.equal((await stored()).webhooks?.length, 1)
    })

    it('survives an upgrade by install', async () => {
      const one = start()
      await registered(one)
      const { webhooks } = await stored()
      await putEmpty()
      assert.deepEqual((await stored()).webhooks, webhooks)
      assert.deepEqual(
        one.states.filter(({ ok }) => !ok).map(({ reason }) => reason),
        ['it is about to be written'],
      )
    })

    it('follows the authority without a gap', async () => {
      const one = start()
      await registered(one)
      one.states.length = 0
      one.bundle = `${receiver.bundle}${receiver.bundle}`
      one.renew()
      await until(async () => {
        const [webhook] = (await stored()).webhooks ?? []
        const clientConfig = webhook?.['clientConfig'] as { readonly caBundle: string } | undefined
        return clientConfig?.caBundle === Buffer.from(one.bundle).toString('base64') || undefined
      })
      assert.deepEqual(one.states, [])
    })

    it('stays over a restart of the companion', async () => {
      const one = start()
      await registered(one)
      const before = await stored()
      await one.registration.beforeEnd(AbortSignal.timeout(1000))
      await one.stop()
      assert.deepEqual(await stored(), before)
    })

    it('says what the API server does not take of it', async () => {
      const one = start({ auditConditions: [{ name: 'broken', expression: 'request.operation ==' }] })
      const reason = await until(() => {
        const state = one.registration.registered()
        return /expression/.test(state.reason) ? state.reason : undefined
      })
      assert.match(reason, /matchConditions\[\d+\]\.expression: Invalid value: .*request\.operation ==/)
      assert.equal((await stored()).webhooks, undefined)
    })

    it('is emptied when the namespace of the companion is deleted', async () => {
      const one = start()
      await registered(one)
      await cluster.admin.text('DELETE', `/api/v1/namespaces/${namespace}`)
      await until(async () => ((await stored()).webhooks ?? []).length === 0 || undefined)
      assert.match(one.registration.registered().reason, /namespace of the companion is being deleted/)
    })
  })
})

/** A transport whose watches end, and are refused, for as long as it is cut. */
class CuttableTransport implements KubeTransport {
  readonly #inner: KubeTransport
  #cutting = new AbortController()

  constructor(inner: KubeTransport) {
    this.#inner = inner
  }

  cut(): void {
    this.#cutting.abort(new DeckError('KUBE_UNREACHABLE', 'cut'))
  }

  mend(): void {
    this.#cutting = new AbortController()
  }

  async send(request: KubeRequest): Promise<KubeResponse> {
    if (!request.path.includes('watch=')) return this.#inner.send(request)
    const cutting = this.#cutting.signal
    cutting.throwIfAborted()
    const signal = request.signal ? AbortSignal.any([request.signal, cutting]) : cutting
    return this.#inner.send({ ...request, signal })
  }

  close(): void {
    this.#inner.close()
  }
}

function isController({ username = '' }: { readonly username?: string }): boolean {
  return username.startsWith('system:serviceaccount:kube-system:')
}
