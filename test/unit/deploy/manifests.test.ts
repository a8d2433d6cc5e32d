import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parseYaml } from '../../../src/core/lib/yaml.ts'
import {
  DEFAULT_VALUES,
  NAMES,
  describeRights,
  manifests,
  ownedKinds,
  readValues,
  type KubeObject,
  type Step,
} from '../../../server/deploy/index.ts'
import { VALUE_SETS } from './value-sets.ts'

const STEPS: readonly Step[] = [
  'namespace',
  'accounts',
  'rights',
  'config',
  'storage',
  'services',
  'workloads',
  'policies',
  'api-service',
]

interface Rule {
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

interface Container {
  readonly args: readonly string[]
  readonly imagePullPolicy: string
  readonly securityContext: {
    readonly readOnlyRootFilesystem: boolean
    readonly allowPrivilegeEscalation: boolean
    readonly capabilities: { readonly drop: readonly string[]; readonly add?: readonly string[] }
  }
  readonly resources: { readonly requests: object; readonly limits: object }
}

interface PodSpec {
  readonly priorityClassName?: string
  readonly hostNetwork?: boolean
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: { readonly runAsNonRoot: boolean; readonly seccompProfile: object }
  readonly automountServiceAccountToken: boolean
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
}

const objects = (...sets: string[]): readonly KubeObject[] =>
  manifests(readValues(DEFAULT_VALUES, sets)).map(({ object }) => object)
const named = (all: readonly KubeObject[], kind: string, name: string): KubeObject | undefined =>
  all.find((object) => object.kind === kind && object.metadata.name === name)
const podSpecOf = (deployment: KubeObject | undefined): PodSpec =>
  (deployment as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec

describe('manifests', () => {
  for (const [name, sets] of Object.entries(VALUE_SETS)) {
    describe(name, () => {
      const made = manifests(readValues(DEFAULT_VALUES, sets))

      it('come in the order of application, the APIService alone at the end', () => {
        const order = made.map(({ step }) => STEPS.indexOf(step))
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        )
        assert.deepEqual(
          made.filter(({ step }) => step === 'api-service').map(({ object }) => object.kind),
          ['APIService'],
        )
      })

      it('are all found again by uninstall', () => {
        const places = new Set(ownedKinds('deckwatch').map(({ kind, namespace }) => `${kind} ${namespace}`))
        for (const { object, path } of made) {
          assert.ok(places.has(`${object.kind} ${object.metadata.namespace}`), path)
          assert.equal(object.metadata.labels['app.kubernetes.io/name'], 'deckwatch')
          assert.ok(object.metadata.namespace === 'deckwatch' || /deckwatch/.test(object.metadata.name), path)
        }
      })

      it('let nobody list or watch Secrets who was not asked to', () => {
        if (sets.some((set) => set.includes('auditLog.watchSecrets=true'))) return
        for (const { object } of made) {
          for (const rule of (object['rules'] ?? []) as readonly Rule[]) {
            if (!rule.resources.includes('secrets')) continue
            assert.ok(!rule.verbs.some((verb) => ['list', 'watch', 'deletecollection', '*'].includes(verb)))
            assert.ok(rule.verbs.join() === 'create' || rule.resourceNames !== undefined)
          }
        }
      })

      it('confine every container', () => {
        for (const { object } of made.filter(({ step }) => step === 'workloads')) {
          const { automountServiceAccountToken, containers, initContainers = [] } = podSpecOf(object)
          assert.equal(automountServiceAccountToken, true)
          for (const { securityContext, resources } of [...initContainers, ...containers]) {
            assert.equal(securityContext.readOnlyRootFilesystem, true)
            assert.equal(securityContext.allowPrivilegeEscalation, false)
            assert.deepEqual(securityContext.capabilities.drop, ['ALL'])
            assert.deepEqual(Object.keys(resources.limits), ['memory'])
          }
          for (const { securityContext } of containers)
            assert.equal(securityContext.capabilities.add, undefined)
        }
      })

      it('leave the caBundle to the companion', () => {
        assert.doesNotMatch(JSON.stringify(made), /caBundle|insecureSkipTLSVerify/)
      })
    })
  }

  it('put api and rooms in one pod unless the api is to stand apart', () => {
    const together = objects()
    assert.equal(named(together, 'Deployment', NAMES.api), undefined)
    assert.equal(named(together, 'Service', NAMES.data), undefined)
    const [container] = podSpecOf(named(together, 'Deployment', NAMES.companion)).containers
    assert.ok(container?.args.includes('--components=api,image-graph'))

    const apart = objects('apiReplicas=2')
    const [rooms] = podSpecOf(named(apart, 'Deployment', NAMES.companion)).containers
    const [api] = podSpecOf(named(apart, 'Deployment', NAMES.api)).containers
    assert.ok(rooms?.args.includes('--components=image-graph'))
    assert.ok(api?.args.includes('--components=api'))
    assert.ok(api?.args.includes('--peers=image-graph=deckwatch-data.deckwatch.svc:10251'))
  })

  it('bring the webhook empty, and a Service for it where the api stands apart', () => {
    assert.equal(named(objects(), 'ValidatingWebhookConfiguration', NAMES.auditLog), undefined)
    const together = objects('components=all')
    const { metadata, ...configuration } =
      named(together, 'ValidatingWebhookConfiguration', NAMES.auditLog) ?? {}
    assert.ok(metadata)
    assert.deepEqual(configuration, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
    })
    assert.equal(named(together, 'Service', NAMES.audit), undefined)
    const apart = objects('components=all', 'apiReplicas=1')
    const { spec } = named(apart, 'Service', NAMES.audit) as unknown as {
      spec: { selector: Record<string, string>; ports: [{ port: number; targetPort: string }] }
    }
    assert.equal(spec.selector['app.kubernetes.io/component'], 'companion')
    assert.deepEqual(
      spec.ports.map(({ port, targetPort }) => [port, targetPort]),
      [[443, 'api']],
    )
  })

  it('tell the address of a database by its Secret alone', () => {
    const made = objects('components=audit-log', 'store.secret=db', 'apiReplicas=1')
    const [rooms] = podSpecOf(named(made, 'Deployment', NAMES.companion)).containers
    const [api] = podSpecOf(named(made, 'Deployment', NAMES.api)).containers
    const reference = '{"name":"DECKWATCH_STORE","valueFrom":{"secretKeyRef":{"name":"db","key":"url"}}}'
    assert.ok(JSON.stringify(rooms).includes(reference))
    assert.ok(!JSON.stringify(api).includes('DECKWATCH_STORE'))
    assert.doesNotMatch(JSON.stringify(named(made, 'ConfigMap', NAMES.config)), /store|postgres/)
  })

  it('tell the headers for a collector by their Secret alone', () => {
    const sets = ['components=audit-log', 'apiReplicas=1', 'auditLog.export.url=https://collector/logs']
    const made = objects(...sets, 'auditLog.export.secret.name=collector')
    const [rooms] = podSpecOf(named(made, 'Deployment', NAMES.companion)).containers
    const [api] = podSpecOf(named(made, 'Deployment', NAMES.api)).containers
    const secret = '{"name":"collector","key":"headers"}'
    assert.ok(
      JSON.stringify(rooms).includes(
        `{"name":"DECKWATCH_AUDIT_EXPORT_HEADERS","valueFrom":{"secretKeyRef":${secret}}}`,
      ),
    )
    assert.doesNotMatch(JSON.stringify([api, objects(...sets)]), /EXPORT_HEADERS/)
  })

  it('give the rest of 80 % of the volume to the history of changes', () => {
    const size = (...sets: string[]): string | undefined =>
      /audit-size: "(\w+)"/.exec(
        JSON.stringify(named(objects(...sets), 'ConfigMap', NAMES.config)).replaceAll('\\"', '"'),
      )?.[1]
    assert.equal(size(), undefined)
    assert.equal(size('components=all'), '3584Mi')
    assert.equal(size('components=audit-log'), '3840Mi')
    assert.equal(size('components=audit-log', 'auditLog.historySize=1Gi'), '1024Mi')
    assert.equal(size('components=audit-log', 'store.secret=db'), '20480Mi')
  })

  it('protect from drains only where several pods run', () => {
    const budgets = (...sets: string[]): readonly string[] =>
      objects(...sets)
        .filter(({ kind }) => kind === 'PodDisruptionBudget')
        .map(({ metadata }) => metadata.name)
    assert.deepEqual(budgets(), [])
    assert.deepEqual(budgets('apiReplicas=1'), [])
    assert.deepEqual(budgets('apiReplicas=2'), [NAMES.api])
  })

  it('open the API to all, peers to the companion’s own pods, metrics to whom one says, and nothing else', () => {
    const inNamespaces = (...values: string[]) => ({
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }],
      },
    })
    const own = { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'deckwatch' } } }
    const port = (number: number) => [{ port: number, protocol: 'TCP' }]
    const policy = (...sets: string[]) => named(objects(...sets), 'NetworkPolicy', NAMES.companion)?.['spec']
    const api = { ports: port(10250) }
    const peers = { ports: port(10251), from: [{ ...inNamespaces('deckwatch', 'deckwatch-agents'), ...own }] }
    assert.deepEqual(policy(), {
      ...own,
      policyTypes: ['Ingress'],
      ingress: [api, peers, { ports: port(8080) }],
    })
    assert.deepEqual((policy('metrics.from={monitoring,ops}') as { ingress: object }).ingress, [
      api,
      peers,
      { ports: port(8080), from: [inNamespaces('monitoring', 'ops')] },
    ])
    assert.equal(policy('networkPolicy=false'), undefined)
    assert.equal(policy('hostNetwork=true', 'ports.api=20250'), undefined)
  })

  it('never run two pods on one volume, and replace pods of the API one by one', () => {
    const strategy = (name: string, ...sets: string[]): unknown =>
      (named(objects(...sets), 'Deployment', name) as unknown as { spec: { strategy: unknown } }).spec
        .strategy
    for (const type of ['pvc', 'hostPath', 'emptyDir']) {
      const set = `storage.type=${type}`
      assert.deepEqual(strategy(NAMES.companion, set), { type: 'Recreate' })
      assert.deepEqual(strategy(NAMES.companion, set, 'apiReplicas=2'), { type: 'Recreate' })
    }
    const oneByOne = (maxSurge: number, maxUnavailable: number) => ({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge, maxUnavailable },
    })
    assert.deepEqual(strategy(NAMES.api, 'apiReplicas=2'), oneByOne(1, 0))
    assert.deepEqual(
      strategy(NAMES.api, 'apiReplicas=2', 'hostNetwork=true', 'ports.api=20250'),
      oneByOne(0, 1),
    )
  })

  it('run every pod as the design says, and as one says otherwise', () => {
    const pods = (...sets: string[]): readonly PodSpec[] =>
      objects('apiReplicas=2', ...sets)
        .filter(({ kind }) => kind === 'Deployment')
        .map(podSpecOf)
    for (const pod of pods()) {
      assert.equal(pod.priorityClassName, undefined)
      assert.equal(pod.hostNetwork, undefined)
      assert.equal(pod.terminationGracePeriodSeconds, 30)
      assert.deepEqual(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' })
      assert.equal(pod.securityContext.runAsNonRoot, true)
      for (const { imagePullPolicy, resources } of pod.containers) {
        assert.equal(imagePullPolicy, 'IfNotPresent')
        assert.deepEqual(resources, {
          requests: { cpu: '100m', memory: '128Mi' },
          limits: { memory: '384Mi' },
        })
      }
    }
    const otherwise = [
      'priorityClassName=system-cluster-critical',
      'hostNetwork=true',
      'imagePullPolicy=Never',
    ]
    for (const pod of pods(...otherwise, 'ports.api=20250')) {
      assert.equal(pod.priorityClassName, 'system-cluster-critical')
      assert.equal(pod.hostNetwork, true)
      assert.deepEqual(
        pod.containers.map(({ imagePullPolicy }) => imagePullPolicy),
        ['Never'],
      )
    }
  })

  it('run one container as root, with CHOWN alone, where the folder is the node’s', () => {
    const { initContainers = [] } = podSpecOf(
      named(objects('storage.type=hostPath'), 'Deployment', NAMES.companion),
    )
    assert.deepEqual(
      initContainers.map(({ securityContext }) => securityContext.capabilities.add),
      [['CHOWN']],
    )
    assert.equal(podSpecOf(named(objects(), 'Deployment', NAMES.companion)).initContainers, undefined)
  })

  it('replace pods where what they read at their start changes', () => {
    const hash = (...sets: string[]): unknown =>
      JSON.stringify(named(objects(...sets), 'Deployment', NAMES.companion)).match(
        /"deckwatch.dev\/config-hash":"(\w{64})"/,
      )?.[1]
    assert.equal(hash(), hash('networkPolicy=false'))
    assert.notEqual(hash(), hash('logLevel=debug'))
  })

  it('are not made of values that do not go together', () => {
    assert.throws(() => manifests({ ...DEFAULT_VALUES, replicas: 2 }), /must be 1/)
    assert.throws(() => manifests({ ...DEFAULT_VALUES, logLevel: 'loud' as 'info' }), /logLevel=loud/)
  })
})

describe('the rights in words', () => {
  it('are those of the roles, account by account', () => {
    const values = readValues(DEFAULT_VALUES, ['apiReplicas=2'])
    const made = manifests(values).map(({ object }) => object)
    for (const { account, rights, takenOver } of describeRights(values)) {
      const name = account.replace('deckwatch/', '')
      const rules = ['ClusterRole', 'Role'].flatMap((kind) => named(made, kind, name)?.['rules'] as Rule[])
      for (const { verbs, resources, resourceNames } of rules) {
        const words = [...verbs, ...resources, ...(resourceNames ?? [])]
        assert.ok(
          rights.some(({ what, why }) => why.length > 10 && words.every((word) => what.includes(word))),
          words.join(' '),
        )
      }
      assert.ok(takenOver.length > 0)
    }
  })

  it('say where a right holds', () => {
    const [account] = describeRights(DEFAULT_VALUES)
    const all = new Set(account?.rights.map(({ what }) => what))
    assert.ok(all.has('list, watch pods in the whole cluster'))
    assert.ok(all.has('create secrets in namespace deckwatch'))
    assert.ok(all.has('get, update secrets named deckwatch-tls, deckwatch-peer-ca'))
  })

  it('say what users gave by their values, and what that would mean to others', () => {
    const sets = [
      'components=audit-log',
      'auditLog.watchSecrets=true',
      'auditLog.resources=widgets.v1.example.org',
    ]
    const [account] = describeRights(readValues(DEFAULT_VALUES, sets))
    const all = new Set(account?.rights.map(({ what }) => what))
    assert.ok(all.has('list, watch secrets in the whole cluster'))
    assert.ok(all.has('list, watch widgets.example.org in the whole cluster'))
    assert.ok(account?.takenOver.includes('read all Secrets of the cluster'))
    assert.ok(account?.takenOver.includes('read all widgets'))
  })

  it('say once what several components ask for', () => {
    const [account] = describeRights(DEFAULT_VALUES)
    const namespaces = account?.rights.filter(({ what }) => what.endsWith('namespaces in the whole cluster'))
    assert.deepEqual(
      namespaces?.map(({ what }) => what),
      ['get, list namespaces in the whole cluster'],
    )
  })
})

describe('what uninstall removes', () => {
  it('begins with webhook and APIService, before any pod behind them, and ends with the namespace', () => {
    const kinds = ownedKinds('deckwatch').map(({ kind }) => kind)
    assert.deepEqual(kinds.slice(0, 2), ['ValidatingWebhookConfiguration', 'APIService'])
    assert.equal(kinds.at(-1), 'Namespace')
  })

  it('has the claim as the one thing that holds data', () => {
    const holding = ownedKinds('deckwatch').filter(({ holdsData }) => holdsData)
    assert.deepEqual(
      holding.map(({ kind }) => kind),
      ['PersistentVolumeClaim'],
    )
  })
})

describe('the chart', () => {
  const chart = (file: string): Promise<unknown> =>
    parseYaml(readFileSync(new URL(`../../../server/deploy/chart/${file}`, import.meta.url), 'utf8'))

  it('has the defaults of install', async () => {
    const { createNamespace, ...values } = (await chart('values.yaml')) as Record<string, unknown>
    assert.equal(createNamespace, true)
    assert.deepEqual({ ...values, namespace: 'deckwatch' }, DEFAULT_VALUES)
  })

  it('is of the same release as the package and its image', async () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    ) as { version: string }
    const { version: chartVersion, appVersion } = (await chart('Chart.yaml')) as Record<string, string>
    assert.deepEqual([chartVersion, appVersion], [version, version])
    assert.ok(DEFAULT_VALUES.image.endsWith(`:${version}`))
  })
})
