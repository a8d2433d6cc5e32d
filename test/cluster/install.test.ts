import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { V1APIService, V1Deployment, V1Namespace } from '@kubernetes/client-node'
import { DEFAULT_VALUES } from '../../server/deploy/index.ts'
import { createClusterPort } from '../../src/cli/commands/deckwatch/cluster-port.ts'
import { install } from '../../src/cli/features/deckwatch/install.ts'
import { planInstall } from '../../src/cli/features/deckwatch/plan-install.ts'
import { connect } from '../../src/core/kube/connect.ts'
import { loadConnection } from '../../src/core/kube/kubeconfig.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import { systemClock, type Clock } from '../../src/core/lib/time.ts'
import { startCompanion, type Companion } from '../kit/companion.ts'
import { PaperCompanion } from '../kit/companion/paper-companion.ts'
import { PaperPods, requireHostAddress } from '../kit/companion/paper-pods.ts'
import { ApiStatusError } from '../kit/kubernetes/api-client.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { freePorts } from '../kit/kubernetes/free-ports.ts'
import type { KubectlResult } from '../kit/kubernetes/kubectl.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { Cli, whyNoTerminal, type RunningCli } from '../kit/run-cli.ts'
import { skip } from '../kit/skip.ts'
import { kubectlDeckwatch } from '../kit/plugin/kubectl-deckwatch.ts'
import { pluginEnvironment } from '../kit/plugin/plugin-environment.ts'

const API_SERVICE = '/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.deckwatch.dev'
const NAMESPACE = '/api/v1/namespaces/deckwatch'
const WEBHOOK = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/deckwatch-audit-log'
const DEPLOYMENT = '/apis/apps/v1/namespaces/deckwatch/deployments/deckwatch'

describe('kubectl deckwatch on a real control plane', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let paper: PaperCompanion
  let onPaper: readonly string[]

  const deckwatch = (...args: readonly string[]): Promise<KubectlResult> => kubectlDeckwatch(cluster, args)
  const exists = async (path: string): Promise<boolean> => {
    try {
      await cluster.admin.text('GET', path)
      return true
    } catch (error) {
      if (error instanceof ApiStatusError && error.status === 404) return false
      throw error
    }
  }
  const removeAll = async (): Promise<void> => {
    const { exitCode, stderr } = await deckwatch('uninstall', '--yes')
    assert.equal(exitCode, 0, stderr)
  }

  before(async function () {
    requireHostAddress(this)
    await requireKubernetes(this)
    cluster = await startControlPlane({
      controllers: 'all',
      apiServerFlags: ['--enable-aggregator-routing=true'],
    })
    paper = await PaperCompanion.start(cluster)
    onPaper = ['--storage', 'emptyDir', '--set', `ports.api=${paper.port}`]
  })
  after(async () => {
    await paper?.stop()
    await cluster?.stop()
  })

  describe('before anything is installed', () => {
    it('a dry run tells what the server would do, with each right and its reason, and writes nothing', async () => {
      const { stdout, stderr, exitCode } = await deckwatch('install', '--dry-run', ...onPaper)
      assert.equal(stderr, '')
      assert.equal(exitCode, 0)
      assert.match(
        stdout,
        /^clusterrole\.rbac\.authorization\.k8s\.io\/deckwatch created \(server dry run\)$/m,
      )
      assert.match(
        stdout,
        /^deployment\.apps\/deckwatch created \(not tried: namespace deckwatch is not there yet\)$/m,
      )
      assert.match(stdout, /list, watch pods in the whole cluster: which images run where/)
      assert.match(stdout, /Nothing was written\.\n$/)
      assert.equal(await exists(NAMESPACE), false)
      assert.equal(await exists(API_SERVICE), false)
      assert.equal(await exists('/apis/rbac.authorization.k8s.io/v1/clusterroles/deckwatch'), false)
    })

    it('without a terminal and without --yes nothing is written', async () => {
      const { stderr, exitCode } = await deckwatch('install', ...onPaper)
      assert.match(stderr, /--yes/)
      assert.equal(exitCode, 2)
      assert.equal(await exists(NAMESPACE), false)
    })

    it('a condition that the API server does not understand is refused by its name, and nothing is written', async () => {
      const condition =
        'auditLog.conditions[0].name=mine,auditLog.conditions[0].expression=request.operation =='
      const { stdout, stderr, exitCode } = await deckwatch(
        'install',
        '--yes',
        '--components=audit-log',
        '--set',
        condition,
        ...onPaper,
      )
      assert.equal(exitCode, 2)
      assert.match(
        stderr,
        /auditLog\.conditions: "mine" is refused by the API server: .*request\.operation ==/,
      )
      assert.equal(stdout, '')
      assert.equal(await exists(NAMESPACE), false)
    })

    it('status says that there is none, and how to get it', async () => {
      const { stdout, exitCode } = await deckwatch('status')
      assert.match(stdout, /! companion +there is none in this cluster\n +mend: kubectl deckwatch install\n/)
      assert.equal(exitCode, 1)
    })

    it('uninstall says that there is nothing', async () => {
      const { stdout, exitCode } = await deckwatch('uninstall')
      assert.match(stdout, /^Nothing of deckwatch is in /)
      assert.equal(exitCode, 0)
    })

    it('who has no rights is told which one is missing, and nothing is written', async () => {
      const { stderr, exitCode } = await kubectlDeckwatch(cluster, ['install', '--yes', ...onPaper], {
        kubeconfig: cluster.user('nobody'),
      })
      assert.match(stderr, /user "nobody" may not .*\[KUBE_FORBIDDEN\]/s)
      assert.equal(exitCode, 3)
      assert.equal(await exists(NAMESPACE), false)
    })

    it('who may write all but roles is refused before the first write', async () => {
      const kubeconfig = cluster.user('half', ['half-admins'])
      const half = { metadata: { name: 'half' } }
      await cluster.admin.text('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
        ...half,
        rules: [
          { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] },
          { apiGroups: ['', 'apps', 'networking.k8s.io'], resources: ['*'], verbs: ['*'] },
        ],
      })
      await cluster.admin.text('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
        ...half,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'half' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'half-admins' }],
      })
      const { stderr, exitCode } = await kubectlDeckwatch(cluster, ['install', '--yes', ...onPaper], {
        kubeconfig,
      })
      assert.match(stderr, /KUBE_FORBIDDEN/)
      assert.equal(exitCode, 3)
      assert.equal(await exists(NAMESPACE), false)
    })

    it('manifests come without a question, and the real kubectl takes them', async () => {
      const { stdout, exitCode } = await deckwatch('install', '--storage', 'pvc', '-o', 'yaml')
      assert.equal(exitCode, 0)
      const tried = await cluster.kubectl(['apply', '--dry-run=client', '-f', '-'], { input: stdout })
      assert.equal(tried.exitCode, 0, tried.stderr)
      assert.match(tried.stdout, /apiservice\.apiregistration\.k8s\.io\/v1alpha1\.deckwatch\.dev created/)
      assert.equal(await exists(NAMESPACE), false)
    })

    it('data goes to a node where there is no default StorageClass, and a warning names it', async () => {
      const { stdout, exitCode } = await deckwatch('install', '--dry-run')
      assert.match(stdout, /^Storage +folder \/var\/lib\/deckwatch on node paper-node$/m)
      assert.match(stdout, /^Warning +the cluster has no default StorageClass: the history is kept in/m)
      assert.equal(exitCode, 0)
      await cluster.admin.text('POST', '/apis/storage.k8s.io/v1/storageclasses', {
        metadata: {
          name: 'fast',
          annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
        },
        provisioner: 'example.com/none',
      })
      try {
        const again = await deckwatch('install', '--dry-run')
        assert.match(again.stdout, /^Storage +5Gi of the default StorageClass$/m)
        assert.match(again.stdout, /^persistentvolumeclaim\/deckwatch-data created/m)
      } finally {
        await cluster.admin.text('DELETE', '/apis/storage.k8s.io/v1/storageclasses/fast')
      }
    })
  })

  describe('the question on a terminal', () => {
    let cli: Cli
    before(async function () {
      const reason = await whyNoTerminal()
      if (reason !== undefined) skip(this, reason)
      cli = await Cli.create('bundle')
    })
    after(() => cli?.stop())

    const ask = async (...args: readonly string[]): Promise<RunningCli> => {
      const running = await cli.startInTerminal(args, {
        program: 'kubectl-deckwatch',
        env: { KUBECONFIG: cluster.adminKubeconfig, NO_COLOR: '1' },
      })
      await running.waitFor('stdout', /\[y\/N\] $/)
      return running
    }

    for (const [what, keys] of [
      ['no', 'n\n'],
      ['nothing', '\n'],
      ['the end of the input', '\u0004'],
    ] as const) {
      it(`takes ${what} for no, and nothing is written`, async () => {
        const running = await ask('install', ...onPaper)
        running.type(keys)
        const { stdout, exitCode } = await running.ended
        assert.match(stdout, /^Rights +of ServiceAccount deckwatch\/deckwatch: /m)
        assert.match(stdout, /error: nothing was written: the answer was no \[DECLINED\]/)
        assert.equal(exitCode, 1)
        assert.equal(await exists(NAMESPACE), false)
      })
    }

    it('ends with Ctrl-C, and nothing is written', async () => {
      const running = await ask('install', ...onPaper)
      running.type('\u0003')
      const { exitCode } = await running.ended
      assert.equal(exitCode, 130)
      assert.equal(await exists(NAMESPACE), false)
    })

    it('goes on with yes', async () => {
      const installing = await ask('install', ...onPaper)
      installing.type('y\n')
      const installed = await installing.ended
      assert.equal(installed.exitCode, 0, installed.stdout)
      assert.match(installed.stdout, /images\.deckwatch\.dev answers/)
      const removing = await ask('uninstall')
      removing.type('no\n')
      const kept = await removing.ended
      assert.equal(kept.exitCode, 1)
      assert.equal(await exists(API_SERVICE), true)
      await removeAll()
    })
  })

  describe('an installation', () => {
    before(async () => {
      const { stdout, stderr, exitCode } = await deckwatch('install', '--yes', '--wait', ...onPaper)
      assert.equal(exitCode, 0, stderr)
      assert.match(stdout, /^deployment\.apps\/deckwatch created$/m)
      const told = stdout.split('\n').slice(-6)
      assert.match(told[0] ?? '', /^networkpolicy\.networking\.k8s\.io\/deckwatch created$/)
      assert.match(told[1] ?? '', /^ ok {2}the API server reaches the pod \(\d+ ms\)$/)
      assert.equal(told[2], 'apiservice.apiregistration.k8s.io/v1alpha1.deckwatch.dev created')
      assert.match(told[3] ?? '', /^ ok {2}14 objects applied in \d+ s; images\.deckwatch\.dev answers$/)
      assert.equal(told[4], 'Emergency exit: kubectl delete apiservice v1alpha1.deckwatch.dev')
    })
    after(removeAll)

    it('serves plain kubectl', async () => {
      const { stderr, exitCode } = await cluster.kubectl([
        'get',
        '--raw',
        '/apis/deckwatch.dev/v1alpha1/images',
      ])
      assert.equal(exitCode, 0, stderr)
    })

    it('is changed by nothing when it is installed again', async () => {
      const before = await cluster.admin.send<V1Deployment>('GET', DEPLOYMENT)
      const { stdout, exitCode } = await deckwatch('install', '--yes', ...onPaper)
      assert.equal(exitCode, 0)
      const outcomes = stdout.split('\n').flatMap((line) => /^\S+\/\S+ (\w+)$/.exec(line)?.[1] ?? [])
      assert.deepEqual([...new Set(outcomes)], ['unchanged'])
      assert.match(stdout, /^Upgrade /)
      const after = await cluster.admin.send<V1Deployment>('GET', DEPLOYMENT)
      assert.equal(after.metadata?.generation, before.metadata?.generation)
    })

    it('keeps its storage, whatever the cluster would get now', async () => {
      const { stdout } = await deckwatch('install', '--dry-run', '--set', `ports.api=${paper.port}`)
      assert.match(stdout, /^Storage +none that outlives the pod$/m)
      assert.match(stdout, /^deployment\.apps\/deckwatch unchanged \(server dry run\)$/m)
    })

    it('is upgraded in place, and what the new form has no more goes', async () => {
      const apart = await deckwatch('install', '--yes', '--wait', '--api-replicas', '2', ...onPaper)
      assert.equal(apart.exitCode, 0, apart.stderr)
      assert.match(apart.stdout, /^deployment\.apps\/deckwatch-api created$/m)
      const together = await deckwatch('install', '--yes', ...onPaper)
      assert.equal(together.exitCode, 0, together.stderr)
      assert.match(together.stdout, /^Changes +apiReplicas 2 → 0$/m)
      assert.match(together.stdout, /^Removes +deployment\.apps\/deckwatch-api, /m)
      assert.match(together.stdout, /^deployment\.apps\/deckwatch-api deleted$/m)
      assert.equal(await exists(`${DEPLOYMENT}-api`), false)
      assert.equal(
        await exists('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/deckwatch-api'),
        false,
      )
    })

    it('status has a line for each thing, all well', async () => {
      const { stdout, exitCode } = await deckwatch('status')
      assert.equal(exitCode, 0, stdout)
      assert.match(stdout, /^companion +1\/1 in deckwatch {3}0\.1\.0 \(CLI \d+\.\d+\.\d+\) {3}Kubernetes \d/m)
      assert.match(stdout, /^api +images answers \(\d+ ms\)$/m)
      assert.match(stdout, /^image-graph +ready: 4 images of 10 pods$/m)
      assert.match(stdout, /^store +1\.1 MiB of 256 MiB since /m)
      assert.match(stdout, /^certificates +serving 2 d old, renews in 57 d$/m)
      assert.match(stdout, /^you +may list images in all namespaces$/m)
      assert.deepEqual(
        stdout.split('\n').filter((line) => line.length > 100),
        [],
      )
    })

    it('status -o json is the whole report', async () => {
      const { stdout, exitCode } = await deckwatch('status', '-o', 'json')
      assert.equal(exitCode, 0)
      const report = JSON.parse(stdout) as Record<string, unknown>
      assert.equal(report['kind'], 'CompanionReport')
      assert.deepEqual(report['problems'], [])
      assert.deepEqual((report['api'] as { answers: boolean }).answers, true)
    })

    it('status serves who may see little, and says what it could not see', async () => {
      await ensureNamespace(cluster.admin, 'shop')
      await cluster.admin.text('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings', {
        metadata: { name: 'jane' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
      })
      const kubeconfig = cluster.user('jane')
      const settled = await cluster.kubectl(['config', 'set-context', '--current', '--namespace=shop'], {
        kubeconfig,
      })
      assert.equal(settled.exitCode, 0, settled.stderr)
      const { stdout, stderr, exitCode } = await kubectlDeckwatch(cluster, ['status'], { kubeconfig })
      assert.equal(exitCode, 0, stdout + stderr)
      assert.match(stdout, /^you +may list images in namespace shop$/m)
      assert.match(stdout, /^api +images answers/m)
      assert.match(stdout, /^not seen +apiservices; /m)
    })

    it('status tells trouble with its mend', async () => {
      paper.behaviour.status = {
        version: '0.9.0',
        components: [
          { name: 'image-graph', ready: false, alive: true, reason: 'first list of pods under way' },
        ],
        certificates: [
          {
            name: 'serving',
            notBefore: '2026-01-01T00:00:00Z',
            notAfter: '2026-04-01T00:00:00Z',
            renewAt: '2026-03-01T00:00:00Z',
          },
        ],
      }
      try {
        const { stdout, exitCode } = await deckwatch('status')
        assert.equal(exitCode, 1)
        assert.match(
          stdout,
          /! image-graph +is not ready: first list of pods under way\n +mend: kubectl -n deckwatch logs /,
        )
        assert.match(
          stdout,
          /! certificates +serving of pod \S+ ended on 2026-04-01\n +mend: kubectl -n deckwatch delete pod /,
        )
        assert.match(stdout, /! versions +the companion is 0\.9\.0 and this command /)
      } finally {
        paper.behaviour.status = {}
      }
    })

    it('a second companion in another namespace is refused', async () => {
      const { stderr, exitCode } = await deckwatch('install', '--yes', '-n', 'elsewhere', ...onPaper)
      assert.match(stderr, /this one's is in namespace deckwatch, not elsewhere \[COMPANION_CONFLICT\]/)
      assert.match(stderr, /--namespace deckwatch/)
      assert.equal(exitCode, 1)
      assert.equal(await exists('/api/v1/namespaces/elsewhere'), false)
    })

    it('uninstall does not touch it from another namespace', async () => {
      const { stderr, exitCode } = await deckwatch('uninstall', '--yes', '-n', 'elsewhere')
      assert.match(stderr, /is in namespace deckwatch, not elsewhere/)
      assert.equal(exitCode, 1)
      assert.equal(await exists(API_SERVICE), true)
    })

    it("Helm's installation is left to Helm", async () => {
      const helms = {
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'dw', 'meta.helm.sh/release-namespace': 'deckwatch' },
      }
      const own = await cluster.admin.send<V1APIService>('GET', API_SERVICE)
      await cluster.admin.text('PATCH', API_SERVICE, { metadata: helms })
      try {
        const installed = await deckwatch('install', '--yes', ...onPaper)
        assert.match(
          installed.stderr,
          /was installed by Helm.*\nUse Helm for it: helm upgrade dw .*-n deckwatch/,
        )
        assert.equal(installed.exitCode, 1)
        const removed = await deckwatch('uninstall', '--yes')
        assert.match(removed.stderr, /helm uninstall dw -n deckwatch/)
        assert.equal(removed.exitCode, 1)
        assert.equal(await exists(DEPLOYMENT), true)
      } finally {
        const labels = own.metadata?.labels
        const annotations = { 'meta.helm.sh/release-name': null, 'meta.helm.sh/release-namespace': null }
        await cluster.admin.text('PATCH', API_SERVICE, { metadata: { labels, annotations } })
      }
    })

    it('an upgrade whose pods do not start says why, and that the registration stays', async () => {
      paper.pods.state = 'unpullable'
      try {
        const { stderr, exitCode } = await deckwatch(
          'install',
          '--yes',
          '--timeout',
          '3s',
          '--image',
          'registry.example/none:1',
          ...onPaper,
        )
        assert.equal(exitCode, 1)
        assert.match(stderr, /the image registry\.example\/none:1 cannot be pulled: ImagePullBackOff/)
        assert.match(stderr, /\[COMPANION_NOT_READY\]/)
        assert.match(stderr, /of the earlier installation stays; .*kubectl delete apiservice/)
        assert.match(stderr, /the API group is registered as before/)
        assert.equal(await exists(API_SERVICE), true)
      } finally {
        paper.pods.state = 'ready'
      }
      const mended = await deckwatch('install', '--yes', '--wait', ...onPaper)
      assert.equal(mended.exitCode, 0, mended.stderr)
    })
  })

  describe('what cannot change', () => {
    const mark = { labels: { 'app.kubernetes.io/name': 'deckwatch' } }
    before(async () => {
      await ensureNamespace(cluster.admin, 'deckwatch')
      await cluster.admin.text('PATCH', NAMESPACE, { metadata: mark })
    })
    after(removeAll)

    it('a field that cannot change is a sentence, and nothing else is written', async () => {
      const labels = { app: 'other' }
      await cluster.admin.text('POST', '/apis/apps/v1/namespaces/deckwatch/deployments', {
        metadata: { name: 'deckwatch', ...mark },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { containers: [{ name: 'other', image: 'registry.example/other:1' }] },
          },
        },
      })
      const { stderr, exitCode } = await deckwatch('install', '--yes', ...onPaper)
      assert.match(stderr, /deployment\.apps\/deckwatch cannot be changed in place: .*immutable/)
      assert.match(stderr, /uninstall --keep-data --namespace deckwatch, then install/)
      assert.equal(exitCode, 1)
      assert.equal(await exists('/apis/rbac.authorization.k8s.io/v1/clusterroles/deckwatch'), false)
      await cluster.admin.text('DELETE', DEPLOYMENT)
    })

    it('the size of a volume that cannot change is a sentence', async () => {
      await cluster.admin.text('POST', '/api/v1/namespaces/deckwatch/persistentvolumeclaims', {
        metadata: { name: 'deckwatch-data', ...mark },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'slow',
          resources: { requests: { storage: '5Gi' } },
        },
      })
      const { stderr, exitCode } = await deckwatch(
        'install',
        '--yes',
        '--storage',
        'pvc',
        '--set',
        'storage.storageClass=slow,storage.size=2Gi',
      )
      assert.match(
        stderr,
        /the volume persistentvolumeclaim\/deckwatch-data has 5Gi and cannot be changed so/,
      )
      assert.match(stderr, /Keep --set storage\.size=5Gi/)
      assert.equal(exitCode, 1)
    })
  })

  describe('an installation that fails', () => {
    afterEach(() => {
      paper.pods.state = 'ready'
      paper.behaviour.bundle = 'own'
    })
    after(removeAll)

    for (const [state, said] of [
      ['unscheduled', /no node takes it: 0\/3 nodes are available: 3 Insufficient memory\./],
      ['crashing', /its container deckwatch ended with exit code 2, 3 times restarted/],
    ] as const) {
      it(`says why a pod does not start: ${state}`, async () => {
        paper.pods.state = state
        const { stderr, exitCode } = await deckwatch('install', '--yes', '--timeout', '2s', ...onPaper)
        assert.match(stderr, said)
        assert.match(stderr, /\[COMPANION_NOT_READY\]/)
        assert.match(stderr, /13 of 14 objects are applied, the API group is not registered\./)
        assert.equal(exitCode, 1)
        assert.equal(await exists(API_SERVICE), false)
      })
    }

    it('takes the registration back where the group does not answer in a minute, so that namespaces can go', async () => {
      paper.behaviour.bundle = 'wrong'
      const port = await clusterPort()
      const values = {
        ...DEFAULT_VALUES,
        storage: { ...DEFAULT_VALUES.storage, type: 'emptyDir' as const },
        ports: { ...DEFAULT_VALUES.ports, api: paper.port },
      }
      const { signal } = new AbortController()
      const plan = await planInstall(port, { values, given: new Set(['storage.type']) }, signal)
      const steps: string[] = []
      const going = async (): Promise<void> => {
        const options = { timeoutMs: 300_000, wait: false }
        for await (const step of install({ cluster: port, clock: fastClock(10) }, plan, options, signal)) {
          if (step.type === 'object') steps.push(`${step.ref.name} ${step.outcome}`)
        }
      }
      await assert.rejects(going(), (error) => {
        assert.ok(error instanceof DeckError)
        assert.equal(error.code, 'COMPANION_UNREACHABLE')
        assert.match(error.message, /does not answer after 60 s: 503 .*x509/)
        assert.match(error.hint ?? '', /removed again/)
        return true
      })
      assert.deepEqual(steps.slice(-2), ['v1alpha1.deckwatch.dev created', 'v1alpha1.deckwatch.dev deleted'])
      assert.equal(await exists(API_SERVICE), false)
    })

    /** Runs an installation, and does something when it has told of an object. */
    const installAnd = async (
      object: string,
      act: (child: ChildProcess) => void,
    ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> => {
      const child = spawn(cluster.kubectlPath, ['deckwatch', 'install', '--yes', ...onPaper], {
        env: {
          ...process.env,
          KUBECONFIG: cluster.adminKubeconfig,
          ...pluginEnvironment(cluster.folder.file('plugin-cache')),
        },
      })
      let [stdout, stderr] = ['', '']
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const before = stdout.includes(object)
        stdout += text
        // Kubectl has become the plugin by then.
        if (!before && stdout.includes(object)) act(child)
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, stdout, stderr }
    }

    it('Ctrl-C takes an unanswered registration back, and tells what was applied', async () => {
      paper.behaviour.bundle = 'wrong'
      const { code, stdout, stderr } = await installAnd('v1alpha1.deckwatch.dev created', (child) =>
        child.kill('SIGINT'),
      )
      assert.equal(code, 130, stdout + stderr)
      assert.match(stderr, /^interrupted: 13 of 14 objects are applied, its registration was taken back\./m)
      assert.equal(await exists(API_SERVICE), false)
    })

    it('an installation goes on when the API server restarts meanwhile', async () => {
      paper.pods.state = 'unready'
      let restarted: Promise<void> | undefined
      const { code, stdout, stderr } = await installAnd('networkpolicy.networking.k8s.io/deckwatch', () => {
        restarted = cluster.apiServer.restart().finally(() => (paper.pods.state = 'ready'))
      })
      await restarted
      assert.ok(restarted)
      assert.equal(code, 0, stdout + stderr)
      assert.match(stdout, /images\.deckwatch\.dev answers/)
    })
  })

  describe('uninstall', () => {
    const installed = async (...more: readonly string[]): Promise<void> => {
      const { stderr, exitCode } = await deckwatch('install', '--yes', ...onPaper, ...more)
      assert.equal(exitCode, 0, stderr)
    }
    afterEach(async () => {
      await removeAll()
      await deleteNamespace(cluster.admin, 'deckwatch')
    })

    it('leaves nothing, also of what the companion made itself, and a second run says so', async () => {
      await installed()
      const labels = { 'app.kubernetes.io/name': 'deckwatch' }
      for (const name of ['deckwatch-tls', 'deckwatch-peer-ca']) {
        await cluster.admin.text('POST', `${NAMESPACE}/secrets`, { metadata: { name, labels } })
      }
      const { stdout, stderr, exitCode } = await deckwatch('uninstall', '--yes')
      assert.equal(exitCode, 0, stderr)
      assert.match(stdout, /^Removes +from /)
      const lines = stdout.split('\n').filter((line) => line.endsWith(' deleted'))
      assert.equal(lines[0], 'apiservice.apiregistration.k8s.io/v1alpha1.deckwatch.dev deleted')
      assert.equal(lines.at(-1), 'namespace/deckwatch deleted')
      assert.ok(lines.includes('secret/deckwatch-tls deleted'))
      assert.match(stdout, / ok {2}nothing of deckwatch is left\n$/)
      assert.equal(await exists(NAMESPACE), false)
      for (const kind of ['clusterroles', 'clusterrolebindings', 'namespaces/kube-system/rolebindings']) {
        const { items } = await cluster.admin.send<{ items: { metadata: { name: string } }[] }>(
          'GET',
          `/apis/rbac.authorization.k8s.io/v1/${kind}`,
        )
        assert.deepEqual(
          items.flatMap(({ metadata }) => (metadata.name.startsWith('deckwatch') ? [metadata.name] : [])),
          [],
        )
      }
      const again = await deckwatch('uninstall', '--yes')
      assert.match(again.stdout, /^Nothing of deckwatch is in /)
      assert.equal(again.exitCode, 0)
    })

    it('keeps the volume with --keep-data, and takes it without', async () => {
      await installed()
      const labels = { 'app.kubernetes.io/name': 'deckwatch' }
      const claims = `${NAMESPACE}/persistentvolumeclaims`
      await cluster.admin.text('POST', claims, {
        metadata: { name: 'deckwatch-data', labels },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      })
      const kept = await deckwatch('uninstall', '--yes', '--keep-data')
      assert.equal(kept.exitCode, 0, kept.stderr)
      assert.match(kept.stdout, /^Stays +persistentvolumeclaim\/deckwatch-data \(--keep-data\)$/m)
      assert.match(kept.stdout, / ok {2}all is gone but what stays\n$/)
      assert.equal(await exists(`${claims}/deckwatch-data`), true)
      const { stdout, exitCode } = await deckwatch('uninstall', '--yes')
      assert.match(stdout, /^persistentvolumeclaim\/deckwatch-data deleted$/m)
      assert.equal(exitCode, 0)
      assert.equal(await exists(NAMESPACE), false)
    })

    it("leaves a namespace that holds other people's work", async () => {
      await installed()
      await cluster.admin.text('POST', `${NAMESPACE}/configmaps`, { metadata: { name: 'grafana' } })
      const { stdout, exitCode } = await deckwatch('uninstall', '--yes')
      assert.equal(exitCode, 0)
      assert.match(stdout, /^Stays +namespace deckwatch holds configmap\/grafana not of deckwatch$/m)
      assert.equal(await exists(DEPLOYMENT), false)
      assert.equal(await exists(`${NAMESPACE}/configmaps/grafana`), true)
    })

    it('frees a cluster whose companion was deleted by force', async () => {
      await installed()
      // As a force deletion leaves it: nothing serves, the group is registered, and no namespace can go.
      paper.pods.state = 'unready'
      await cluster.admin.text('DELETE', NAMESPACE)
      await ensureNamespace(cluster.admin, 'bystander')
      await cluster.admin.text('DELETE', '/api/v1/namespaces/bystander')
      await until(async () => {
        const { status } = await cluster.admin.send<V1Namespace>('GET', '/api/v1/namespaces/bystander')
        return status?.conditions?.some(
          ({ type, status: is }) => type === 'NamespaceDeletionDiscoveryFailure' && is === 'True',
        )
      })
      paper.pods.state = 'ready'
      const told = await deckwatch('status')
      assert.equal(told.exitCode, 1)
      assert.match(
        told.stdout,
        /! namespaces +bystander.* cannot be deleted while the API group does not answer/,
      )
      assert.match(told.stdout, /mend: kubectl delete apiservice v1alpha1\.deckwatch\.dev/)
      const { stdout, stderr, exitCode } = await deckwatch('uninstall', '--yes')
      assert.equal(exitCode, 0, stderr)
      assert.match(stdout, /nothing of deckwatch is left/)
      assert.equal(await exists(NAMESPACE), false)
      await until(async () => !(await exists('/api/v1/namespaces/bystander')))
    })

    it('status names a registration that is left over', async () => {
      await cluster.admin.text('POST', API_SERVICE.slice(0, API_SERVICE.lastIndexOf('/')), {
        metadata: { name: 'v1alpha1.deckwatch.dev' },
        spec: {
          group: 'deckwatch.dev',
          version: 'v1alpha1',
          groupPriorityMinimum: 1,
          versionPriority: 1,
          service: { namespace: 'long-gone', name: 'deckwatch' },
        },
      })
      const { stdout, exitCode } = await deckwatch('status')
      assert.equal(exitCode, 1)
      assert.match(
        stdout,
        /! api +its registration is left over: service deckwatch in namespace long-gone is gone/,
      )
      assert.match(stdout, /mend: kubectl delete apiservice v1alpha1\.deckwatch\.dev/)
      const removed = await deckwatch('uninstall', '--yes')
      assert.equal(removed.exitCode, 0, removed.stderr)
      assert.equal(await exists(API_SERVICE), false)
    })
  })

  async function clusterPort() {
    const connection = await loadConnection({ kubeconfig: cluster.adminKubeconfig })
    return createClusterPort(connect(connection), { identity: connection, clock: systemClock })
  }
})

describe('kubectl deckwatch with the real companion, its pod on paper', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let pods: PaperPods
  let companion: Companion | undefined

  before(async function () {
    requireHostAddress(this)
    await requireKubernetes(this)
    cluster = await startControlPlane({
      controllers: 'all',
      apiServerFlags: ['--enable-aggregator-routing=true'],
    })
    pods = await PaperPods.start(cluster, 'deckwatch', 'unready')
  })
  after(async () => {
    await companion?.stop()
    await pods?.stop()
    await cluster?.stop()
  })

  it('is installed, is well, and goes without a trace', async () => {
    const [port = 0] = await freePorts(1)
    const values = ['--components', 'all', '--storage', 'emptyDir', '--set', `ports.api=${port}`]
    const installing = kubectlDeckwatch(cluster, ['install', '--yes', '--wait', ...values])
    companion = await startCompanion(cluster, {
      components: ['api', 'image-graph', 'audit-log'],
      register: false,
      impatient: true,
      flags: [`--api-address=0.0.0.0:${port}`, '--audit-service=deckwatch:443'],
    })
    pods.state = 'ready'
    const installed = await installing
    assert.equal(installed.exitCode, 0, installed.stdout + installed.stderr)
    assert.match(installed.stdout, /images\.deckwatch\.dev and \d+ more answer/)
    const images = await cluster.kubectl(['get', 'images.deckwatch.dev', '-A'])
    assert.equal(images.exitCode, 0, images.stderr)
    assert.match(installed.stdout, /^ ok {2}changes are recorded$/m)
    assert.match(installed.stdout, /kubectl delete validatingwebhookconfiguration deckwatch-audit-log\n$/)
    await isRecorded('jane')
    const status = await kubectlDeckwatch(cluster, ['status'])
    assert.equal(status.exitCode, 0, status.stdout)
    assert.match(status.stdout, /^image-graph +ready/m)
    assert.match(status.stdout, /^recording +without a gap for /m)
    assert.match(status.stdout, /^webhook +registered for /m)
    assert.match(
      status.stdout,
      /^emergency exit +kubectl delete validatingwebhookconfiguration deckwatch-audit-log$/m,
    )
    assert.match(status.stdout, /^certificates +.*serving/m)
    const again = await kubectlDeckwatch(cluster, ['install', '--yes', ...values])
    assert.match(again.stdout, /^apiservice\.apiregistration\.k8s\.io\/v1alpha1\.deckwatch\.dev unchanged$/m)
    await cluster.admin.text('DELETE', WEBHOOK)
    await until(async () => (await kubectlDeckwatch(cluster, ['status'])).exitCode === 1)
    const without = await kubectlDeckwatch(cluster, ['status'])
    assert.match(without.stdout, /deckwatch-audit-log is not there/)
    assert.match(without.stdout, /mend: kubectl deckwatch install/)
    const mended = await kubectlDeckwatch(cluster, ['install', '--yes', ...values])
    assert.equal(mended.exitCode, 0, mended.stdout + mended.stderr)
    await isRecorded('joan')
    await companion.terminate()
    const removed = await kubectlDeckwatch(cluster, ['uninstall', '--yes'])
    assert.equal(removed.exitCode, 0, removed.stdout + removed.stderr)
    assert.match(removed.stdout, /^secret\/deckwatch-tls deleted$/m)
    assert.match(removed.stdout, /nothing of deckwatch is left/)
    const first = removed.stdout.split('\n').find((line) => line.endsWith(' deleted'))
    assert.match(first ?? '', /^validatingwebhookconfiguration\..*\/deckwatch-audit-log deleted$/)
  })

  /** Somebody changes something, and stands in the record. */
  async function isRecorded(user: string): Promise<void> {
    await until(async () => {
      const as = [`--as=${user}`, '--as-group=system:masters']
      await cluster.kubectl(['delete', 'configmap', 'touched', '-n', 'default', '--ignore-not-found', ...as])
      await cluster.kubectl(['create', 'configmap', 'touched', '-n', 'default', ...as])
      const selector = `--field-selector=user.username=${user},state=confirmed`
      const { stdout } = await cluster.kubectl(['get', 'changes', '-n', 'default', '-o', 'json', selector])
      return (JSON.parse(stdout) as { readonly items: readonly unknown[] }).items.length > 0
    })
  }
})

/** The time of which so many seconds pass in one. */
function fastClock(times: number): Clock {
  const start = Date.now()
  return {
    now: () => start + (Date.now() - start) * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  }
}

async function until(is: () => Promise<boolean | undefined>): Promise<void> {
  const end = Date.now() + 120_000
  while (!(await is())) {
    if (Date.now() > end) throw new Error('it did not come true in two minutes')
    await systemClock.sleep(200)
  }
}
