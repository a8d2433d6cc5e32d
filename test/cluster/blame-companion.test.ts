import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { parse } from 'yaml'
import { DEFAULT_VALUES } from '../../server/deploy/index.ts'
import type { Change } from '../../src/core/wire/change.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import type { KubectlOptions, KubectlResult } from '../kit/kubernetes/kubectl.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { KubectlBlame } from '../kit/plugin/kubectl-blame.ts'
import { pluginEnvironment } from '../kit/plugin/plugin-environment.ts'

const [ALICE, BOB] = ['dev-1@example.org', 'dev-2@example.org']
const SCREEN = { COLUMNS: '120', TZ: 'UTC' }
const RECORDED = ['gizmos.v3.alpha.blame.test', 'gizmos.v1.beta.blame.test']
const FORMATS = ['list', 'diff', 'patch', 'yaml', 'json']
const AGE = String.raw`(?:\d+[smhd]){1,2}`

/** One kind's name in two groups: namespaced with three versions, and cluster-scoped. */
const DEFINITIONS = [
  definition('alpha.blame.test', ['v3', 'v2', 'v1beta1'], 'Namespaced'),
  definition('beta.blame.test', ['v1'], 'Cluster'),
]

function definition(group: string, versions: readonly string[], scope: string): object {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `gizmos.${group}` },
    spec: {
      group,
      scope,
      names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo' },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema },
      })),
    },
  }
}

async function serveGizmos(cluster: ControlPlane): Promise<void> {
  for (const object of DEFINITIONS)
    await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
  const established = ['wait', '--for=condition=Established', '--timeout=120s']
  const names = ['crd/gizmos.alpha.blame.test', 'crd/gizmos.beta.blame.test']
  const { stderr, exitCode } = await cluster.kubectl([...established, ...names])
  assert.equal(exitCode, 0, stderr)
}

/** Longer than the shortest time that counts as one in which nobody was recording. */
const GAP_MS = 6000

describe('kubectl blame with a companion that records', function () {
  this.timeout(300_000)
  let world: AuditWorld
  let blame: KubectlBlame
  const children: ChildProcess[] = []

  before(async function () {
    await requireKubernetes(this)
    world = await AuditWorld.start({
      // What goes with an owner goes by the garbage collector.
      cluster: { controllers: 'all' },
      companion: {
        flags: [`--audit-resources=${RECORDED.join(',')}`],
        values: { auditLog: { ...DEFAULT_VALUES.auditLog, resources: RECORDED } },
      },
      prepare: serveGizmos,
    })
    blame = new KubectlBlame(world.cluster)
    await world.ensureNamespace('shop')
    await runIn('shop', ALICE, 'create deployment web --image=nginx:1.24')
    await runIn('shop', BOB, 'set env deployment/web LOG_LEVEL=info DB_PASSWORD=planted-1')
    await runIn('shop', ALICE, 'set image deployment/web nginx=nginx:1.25')
    await runIn('shop', BOB, 'scale deployment/web --replicas=3')
    await runIn('shop', BOB, 'rollout restart deployment/web')
    await runIn('shop', ALICE, 'create deployment cart --image=cart:1')
    // Refused after admission: that it did not land is known half a minute later, at the end of this file.
    await world.ensureNamespace('full')
    await runIn('full', 'admin', 'create quota none --hard=count/cronjobs.batch=0')
    await world.until(async () => {
      const given = JSON.parse(await runIn('full', 'admin', 'get quota none -o json')) as {
        status?: { hard?: object }
      }
      return given.status?.hard
    }, 'a quota that counts')
    const refused = await world.kubectl(
      ALICE,
      'create cronjob no -n full --image=x --schedule=@daily'.split(' '),
    )
    assert.match(refused.stderr, /exceeded quota/)
    // What follows from its end takes the controllers a while.
    await world.ensureNamespace('doomed')
    await runIn('doomed', ALICE, 'create configmap settings --from-literal=a=b')
    await runIn('doomed', ALICE, 'create deployment api --image=api:1')
    await world.settled()
    await world.run(BOB, ['delete', 'namespace', 'doomed', '--wait=false'])
  })

  after(() => world?.stop())

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  })

  /** kubectl in a namespace as somebody who may do everything. */
  function runIn(namespace: string, who: string, line: string, input?: unknown): Promise<string> {
    return world.run(who, [...line.split(' '), '-n', namespace], input)
  }

  const tried = (line: string, options: KubectlOptions = {}): Promise<KubectlResult> =>
    blame.run(line === '' ? [] : line.split(' '), { ...options, env: { ...SCREEN, ...options.env } })

  /** What it prints; it must succeed. */
  async function told(line: string, options: KubectlOptions = {}): Promise<string> {
    const { stdout, stderr, exitCode } = await tried(line, options)
    assert.equal(exitCode, 0, `kubectl blame ${line}: ${stderr}`)
    return stdout
  }

  /** The same in several formats, at once. */
  const inEach = (formats: readonly string[], line: string, options: KubectlOptions = {}) =>
    Promise.all(
      formats.map(async (format) => [format, await tried(`${line} -f ${format}`, options)] as const),
    )

  const changes = (line: string): Promise<Change[]> => blame.changes(line.split(' '))

  /** The name of the newest change of an object that a text is in. */
  async function changeWith(text: string, line: string): Promise<string> {
    const found = (await changes(`${line} --max-history 0`)).find((change) =>
      JSON.stringify(change.changes).includes(text),
    )
    assert.ok(found?.metadata, `${text} in the changes of ${line}`)
    return found.metadata.name
  }

  /** Who is named at lines of today's object, by their beginnings. */
  async function namesAt(line: string, ...beginnings: string[]): Promise<string[]> {
    const stdout = await told(`${line} -f yaml --comments --time none`)
    const lines = stdout.split('\n').map((text) => text.trimStart().replace(/^- /, ''))
    return beginnings.map((beginning) => {
      const found = lines.find((text) => text.startsWith(beginning))
      assert.ok(found, `${beginning} in:\n${stdout}`)
      return (found.split(' # ')[1] ?? '').replace(/\s+(?:CREATE|UPDATE).*$/, '').trim()
    })
  }

  it('lists who did what, in words, and hides what is a credential', async () => {
    const [header, titles, ...rows] = (await told('deploy web -n shop --max-history 0')).trimEnd().split('\n')
    assert.match(
      header ?? '',
      /^deployment\/web in shop: 5 changes, newest first; recording since (?:\d\d:\d\d|\d+ \w{3})$/,
    )
    assert.match(titles ?? '', /^AGE +WHO +VIA +CHANGE$/)
    const said = rows.map((row) =>
      row
        .trim()
        .replace(new RegExp(`^${AGE} +`), '')
        .replace(/ {2,}/g, '  '),
    )
    assert.deepEqual(said, [
      `${BOB}  kubectl-rollout  restarted`,
      `${BOB}  /scale  scaled 1 → 3`,
      `${ALICE}  kubectl-set  containers[nginx].image  nginx:1.24 → nginx:1.25`,
      `${BOB}  kubectl-set  containers[nginx].env[LOG_LEVEL]  added: info`,
      'containers[nginx].env[DB_PASSWORD]  added: ***',
      `${ALICE}  kubectl-create  created: nginx:1.24, 1 replica`,
    ])
  })

  it('shows the newest three, and how to see the others', async () => {
    const { stdout, stderr } = await tried('deploy/web -n shop')
    assert.match(stdout, /^deployment\/web in shop: 3 of 5 changes/)
    assert.match(stderr, /^More: -f diff, .*--max-history 0 \(all\)/)
  })

  it('shows each change as a difference, with all that is known of who made it', async () => {
    const stdout = await told('deploy web -n shop -f diff --max-history 0')
    assert.match(stdout, /user: +dev-1@example\.org\ngroups: +system:masters, system:authenticated/)
    assert.match(stdout, /^- +image: nginx:1\.24\n\+ +image: nginx:1\.25$/m)
    assert.match(stdout, /^\+ +value: \*\*\*$/m)
    const table = await told('deploy web -n shop -f patch --max-history 3')
    assert.match(table, /\| *replace \/spec\/template\/spec\/ +\|\n.* containers\[name=nginx\]\/image +\|\n/)
    for (const text of [stdout, table]) assert.doesNotMatch(text, /planted/)
  })

  it('names at each line of today’s object who wrote it last', async () => {
    const web = 'deploy web -n shop'
    const [variable, restart] = ['name: LOG_LEVEL', 'kubectl.kubernetes.io/restartedAt:']
    const names = await namesAt(web, 'replicas:', 'image:', variable, restart, 'dnsPolicy:')
    assert.deepEqual(names, [BOB, ALICE, BOB, BOB, ALICE])
    const today = JSON.parse(await runIn('shop', 'admin', 'get deploy web -o json')) as { status?: object }
    delete today.status
    const annotated: unknown = parse(await told(`${web} -f yaml --comments`))
    assert.deepEqual(withoutRevision(annotated), withoutRevision(today))
  })

  it('prints the Change objects themselves', async () => {
    const [first] = await changes('deploy web -n shop --field replicas --max-history 1')
    assert.ok(first)
    assert.deepEqual(first.changes, [{ path: 'spec.replicas', op: 'replace', from: 1, to: 3 }])
    const { username = '' } = first.user ?? {}
    assert.deepEqual([first.state, username, first.object.subresource], ['confirmed', BOB, 'scale'])
    const name = await told('deploy web -n shop --field replicas --max-history 1 -o name')
    assert.equal(name, `change.deckwatch.dev/${first.metadata?.name}\n`)
  })

  it('gives an overview by namespace, people before controllers', async () => {
    const stdout = await told('--max-history 0')
    assert.match(
      stdout,
      /^Last 24h in the cluster: \d+ changes by people and tools, \d+ by controllers; recording/,
    )
    assert.match(
      stdout,
      /^shop\n(?: .*\n)*? +(?:\d+[smhd]){1,2} +deployment\/cart +dev-1@example\.org +created: cart:1/m,
    )
    assert.match(stdout, /^ {2}\+ \d+ changes? by controllers: .*root-ca-cert-publisher(?:, .*)?$/m)
    assert.match(stdout, /^\(cluster\)\n(?: .*\n)*? +\S+ +namespace\/shop +admin +created/m)
  })

  it('lists every object of a type with its latest change, in all namespaces too', async () => {
    const stdout = await told('deployments -A')
    assert.match(stdout, /^deployments in all namespaces: latest change of each of \d objects/)
    assert.match(stdout, /shop\/deployment\/cart +dev-1@example\.org +created: cart:1, 1 replica/)
    assert.match(stdout, /shop\/deployment\/web +dev-2@example\.org +restarted/)
  })

  it('finds by user, time, field, hand, operation and tool', async () => {
    const count = async (filters: string): Promise<number> =>
      (await changes(`deploy web -n shop --max-history 0 ${filters}`)).length
    assert.equal(await count(`--user ${BOB}`), 3)
    assert.equal(await count(`--user ${BOB} --user ${ALICE}`), 5)
    assert.equal(await count('--since 1h'), 5)
    assert.equal(await count('--until 2020-01-01T00:00:00Z'), 0)
    assert.equal(await count('--field containers[nginx].env[LOG_LEVEL]'), 1)
    assert.equal(await count('--operation create'), 1)
    assert.equal(await count('--manual'), 5)
    assert.equal(await count('--tool kubectl --manager kubectl-set'), 2)
    const nobody = await tried('deploy web -n shop --user nobody')
    assert.deepEqual([nobody.exitCode, nobody.stdout], [0, ''])
    assert.match(nobody.stderr, /^No change of deployment\/web in shop matches; 5 without these filters$/m)
    const type = await tried('deploy -n shop --user nobody')
    assert.match(type.stderr, /^No change of deployments in shop matches; 6 without these filters$/m)
    const near = await tried('deploy web -n shop --user dev-1')
    assert.match(near.stderr, /^Did you mean --user dev-1@example\.org\?$/m)
  })

  it('shows field managers of a kind that is not recorded, and says so, as plain kubectl is told', async () => {
    const { stdout, stderr, exitCode } = await tried('rs -n shop')
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /^replicasets in shop: last writes by field manager/)
    assert.match(
      stderr,
      /^Changes of replicasets\.apps are not recorded, .*: kubectl blame deployment$\n.*\{replicasets\.v1\.apps\}$/m,
    )
    const plain = ['get', 'changes', '-n', 'shop', '--field-selector', 'object.resource=replicasets']
    const listed = await world.kubectl(ALICE, plain)
    assert.match(listed.stderr, /^Warning: not recorded: replicasets: .*auditLog\.resources/m)
  })

  it('tells changes as they come, until Ctrl-C', async () => {
    const args = ['blame', 'deploy', 'cart', '-n', 'shop', '--watch']
    const child = spawn(world.cluster.kubectlPath, args, {
      env: {
        ...process.env,
        ...pluginEnvironment(world.cluster.folder.file('plugin-cache')),
        ...SCREEN,
        KUBECONFIG: world.cluster.adminKubeconfig,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const says = (text: RegExp) => world.until(() => text.test(output) || undefined, `${text} in ${output}`)
    await says(/following deployment\/cart in shop/)
    await runIn('shop', BOB, 'scale deployment/cart --replicas=4')
    await says(/\d\d:\d\d:\d\d +dev-2@example\.org +\/scale +scaled 1 → 4/)
    child.kill('SIGINT')
    const [code] = (await once(child, 'close')) as [number]
    assert.equal(code, 130)
  })

  describe('with GitOps tools', () => {
    const tracked = { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:synced/argo' }
    const released = { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'synced' }
    const flux = 'toolkit.fluxcd.io'
    const TOOLS = [
      {
        name: 'argo',
        account: ['argocd', 'argocd-application-controller'],
        manager: 'argocd-controller',
        metadata: { annotations: tracked },
        via: 'Argo CD: shop',
        tool: 'argo-cd',
        source: 'Application argocd/shop',
      },
      {
        name: 'kustomized',
        account: ['flux-system', 'kustomize-controller'],
        manager: 'kustomize-controller',
        metadata: {
          labels: { [`kustomize.${flux}/name`]: 'apps', [`kustomize.${flux}/namespace`]: 'flux-system' },
        },
        via: 'Flux: apps',
        tool: 'flux',
        source: 'Kustomization flux-system/apps',
      },
      {
        name: 'flux-release',
        account: ['flux-system', 'helm-controller'],
        manager: 'helm-controller',
        metadata: { labels: { [`helm.${flux}/name`]: 'web', [`helm.${flux}/namespace`]: 'synced' } },
        via: 'Flux: web',
        tool: 'flux',
        source: 'HelmRelease synced/web',
      },
      {
        name: 'released',
        account: ['synced', 'ci'],
        manager: 'helm',
        metadata: { annotations: released, labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
        via: 'Helm: web',
        tool: 'helm',
        source: 'release synced/web',
      },
    ] as const

    before(async () => {
      for (const namespace of ['argocd', 'flux-system', 'synced']) await world.ensureNamespace(namespace)
      const accounts = TOOLS.map(({ account: [namespace, name] }) => `--serviceaccount=${namespace}:${name}`)
      await runIn(
        'synced',
        'admin',
        `create clusterrolebinding tools --clusterrole=cluster-admin ${accounts.join(' ')}`,
      )
      const write = async ({ name, account, manager, metadata }: (typeof TOOLS)[number]): Promise<void> => {
        await runIn(account[0], 'admin', `create serviceaccount ${account[1]}`)
        const kubeconfig = world.cluster.tokenKubeconfig(await world.cluster.token(account[0], account[1]))
        const args = ['apply', '--server-side', `--field-manager=${manager}`, '-n', 'synced', '-f', '-']
        for (const mode of ['slow', 'fast']) {
          const object = {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name, ...metadata },
            data: { mode },
          }
          const input = JSON.stringify(object)
          const { stderr, exitCode } = await world.cluster.kubectl(args, { kubeconfig, input })
          assert.equal(exitCode, 0, stderr)
        }
      }
      await Promise.all(TOOLS.map(write))
      await runIn('synced', ALICE, 'label configmap argo by=hand')
      await world.settled()
    })

    for (const { name, account, via, tool, source } of TOOLS) {
      it(`says on whose behalf ${source} was written`, async () => {
        const found = await changes(`cm ${name} -n synced --field data.mode --operation update`)
        assert.deepEqual(
          found.map((change) => [change.via.tool, change.via.source, change.via.manual]),
          [[tool, source, false]],
        )
        const stdout = await told(`cm ${name} -n synced --max-history 0`)
        assert.match(stdout, new RegExp(`${account.join('/')} +${via} +data\\.mode +slow → fast`))
      })
    }

    it('does not take an edit by hand for the tool’s', async () => {
      const [change] = await changes('cm argo -n synced --max-history 1')
      assert.deepEqual([change?.user?.username, change?.via.source, change?.via.manual], [ALICE, '', true])
    })

    it('warns before a change is taken back that the tool will bring again', async () => {
      const { stderr } = await tried(`undo ${await changeWith('fast', 'cm argo -n synced')} -n synced`)
      assert.match(stderr, /^Warning: Argo CD owns this object \(Application argocd\/shop\)/m)
    })
  })

  describe('undo', () => {
    let name: string

    it('prints what would take a change back', async () => {
      name = await changeWith('nginx:1.25', 'deploy web -n shop')
      const { stdout, stderr, exitCode } = await tried(`undo ${name} -n shop`)
      assert.equal(exitCode, 0, stderr)
      assert.match(stdout, /^- +image: nginx:1\.25\n\+ +image: nginx:1\.24$/m)
      assert.match(stderr, new RegExp(`kubectl blame undo ${name} -n shop --apply`))
      assert.doesNotMatch(stdout, /planted/)
      const patch = JSON.parse(await told(`undo ${name} -n shop -o json`)) as { op: string; path: string }[]
      assert.deepEqual(patch.at(-1), {
        op: 'replace',
        path: '/spec/template/spec/containers/0/image',
        value: 'nginx:1.24',
      })
      await runIn(
        'shop',
        'admin',
        `patch deployment web --dry-run=server --type=json -p ${JSON.stringify(patch)}`,
      )
    })

    it('with --apply puts it back, which is a change of whoever did it', async () => {
      const kubeconfig = world.person('carol')
      const stdout = await told(`undo ${name} -n shop --apply --yes`, { kubeconfig })
      assert.match(stdout, new RegExp(`deployment\\.apps/web patched: ${name} is taken back\n$`))
      const jsonpath = 'jsonpath={.spec.template.spec.containers[0].image}'
      assert.equal(await runIn('shop', 'admin', `get deploy web -o ${jsonpath}`), 'nginx:1.24')
      await world.settled()
      assert.match(
        await told('deploy web -n shop --max-history 1'),
        /carol +kubectl-blame-undo +containers\[nginx\]\.image +nginx:1\.25 → nginx:1\.24/,
      )
    })

    it('names the field that was changed again since, and writes nothing', async () => {
      await runIn('shop', BOB, 'set image deployment/web nginx=nginx:1.26')
      for (const more of ['', ' --apply --yes']) {
        const { stdout, stderr, exitCode } = await tried(`undo ${name} -n shop${more}`)
        assert.deepEqual([exitCode, stdout], [1, ''])
        assert.match(
          stderr,
          /^conflict: spec\.template\.spec\.containers\[name=nginx\]\.image: was changed again since$/m,
        )
        assert.match(stderr, /\[UNDO_CONFLICT\]/)
      }
    })
  })

  it('tells two kinds of one name apart, by group, and knows kinds of the whole cluster', async () => {
    const gizmo = (group: string, version: string, size: number): object => ({
      apiVersion: `${group}/${version}`,
      kind: 'Gizmo',
      metadata: { name: 'one' },
      spec: { size },
    })
    await runIn('shop', ALICE, 'apply -f -', gizmo('alpha.blame.test', 'v3', 1))
    // Another version of the same object.
    await runIn('shop', BOB, 'apply -f -', gizmo('alpha.blame.test', 'v1beta1', 2))
    await world.run(BOB, ['apply', '-f', '-'], gizmo('beta.blame.test', 'v1', 7))
    await world.settled()
    const alpha = await told('gizmos.alpha.blame.test one -n shop')
    assert.match(alpha, /^gizmo\/one in shop: 2 changes/)
    assert.match(alpha, /dev-2@example\.org +kubectl-client-side-apply +size +1 → 2/)
    const beta = await told('gizmos.beta.blame.test one')
    assert.match(beta, /^gizmo\/one: 1 change; /)
    assert.match(beta, /dev-2@example\.org +kubectl-client-side-apply +created/)
    assert.deepEqual(await namesAt('gizmos.v2.alpha.blame.test one -n shop', 'size:'), [BOB])
    assert.match(
      await told('crd gizmos.alpha.blame.test'),
      /customresourcedefinition\/gizmos\.alpha\.blame\.test/,
    )
  })

  describe('of Secrets', () => {
    before(async () => {
      await runIn(
        'shop',
        ALICE,
        'create secret generic keys --from-literal=a=planted-2 --from-literal=b=planted-3',
      )
      await runIn('shop', BOB, 'patch secret keys -p {"stringData":{"a":"planted-4"}}')
      await runIn('shop', 'admin', 'create rolebinding vera --clusterrole=view --user=vera')
      await world.settled()
    })

    it('shows the keys and who changed them, and no value', async () => {
      assert.match(
        await told('secret keys -n shop'),
        /dev-2@example\.org +kubectl-patch +data\.a +\*\*\* → \*\*\* \(changed\)\n +not confirmed\n/,
      )
      assert.deepEqual(await namesAt('secret keys -n shop', 'a:', 'b:'), [BOB, ALICE])
      const encoded = ['planted-2', 'planted-3', 'planted-4'].map((value) =>
        Buffer.from(value).toString('base64'),
      )
      for (const [format, { stdout, stderr }] of await inEach(FORMATS, 'secret keys -n shop')) {
        for (const secret of ['planted', ...encoded]) {
          assert.ok(!`${stdout}${stderr}`.includes(secret), `${secret} in -f ${format}`)
        }
      }
    })

    it('tells who may not get them which right is missing, and nothing else', async () => {
      const kubeconfig = world.cluster.user('vera')
      for (const [, answer] of await inEach(FORMATS, 'secret keys -n shop', { kubeconfig })) {
        const { stdout, stderr, exitCode } = answer
        assert.deepEqual([exitCode, stdout], [3, ''], stderr)
        assert.match(stderr, /user "vera" may not get secrets "keys" in namespace shop \[KUBE_FORBIDDEN\]/)
        assert.doesNotMatch(stderr, /dev-\d|data/)
      }
      const all = await tried('secrets -n shop', { kubeconfig })
      assert.deepEqual([all.exitCode, all.stdout], [3, ''])
      assert.match(await told('deploy web -n shop', { kubeconfig }), /dev-2@example\.org/)
      assert.doesNotMatch(await told('-n shop --max-history 0', { kubeconfig }), /secret\//)
    })
  })

  describe('of what is gone', () => {
    it('tells what went with a deployment', async () => {
      const uid = await runIn('shop', 'admin', 'get deploy cart -o jsonpath={.metadata.uid}')
      const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart', uid }
      const metadata = { name: 'of-cart', ownerReferences: [owner] }
      await runIn('shop', ALICE, 'create -f -', { apiVersion: 'v1', kind: 'ConfigMap', metadata })
      await runIn('shop', BOB, 'delete deployment cart --cascade=background')
      await world.until(async () => {
        const { exitCode } = await world.kubectl('admin', ['get', 'cm', 'of-cart', '-n', 'shop'])
        return exitCode === 0 ? undefined : true
      }, 'the end of the ConfigMap')
      await world.settled()
      assert.match(
        await told('deploy cart -n shop --max-history 1'),
        /dev-2@example\.org +deleted\n +\+ configmap\/of-cart deleted by the garbage collector\n/,
      )
      assert.match(
        await told('deploy cart -n shop --max-history 1 --consequences'),
        /the garbage collector +configmap\/of-cart deleted\n/,
      )
      assert.match(await told('cm of-cart -n shop'), /dev-2@example\.org via the garbage collector +deleted/)
    })

    it('tells a deleted object’s history, which goes on when it is made anew', async () => {
      await runIn('shop', BOB, 'delete deployment web')
      await world.settled()
      const gone = await told('deploy web -n shop --max-history 2')
      assert.match(gone, /dev-2@example\.org +deleted\n/)
      assert.match(gone, /nginx:1\.24 → nginx:1\.26/)
      await runIn('shop', ALICE, 'create deployment web --image=nginx:1.30')
      await world.settled()
      const anew = await told('deploy web -n shop')
      assert.match(anew, /dev-1@example\.org +kubectl-create +created anew \(new uid\): nginx:1\.30/)
      assert.match(anew, /dev-2@example\.org +deleted\n/)
    })

    it('names who deleted a namespace at everything that went with it', async () => {
      await world.run('admin', ['wait', '--for=delete', 'namespace/doomed', '--timeout=180s'])
      await world.settled()
      const folded = await told('namespace doomed --max-history 1')
      assert.match(folded, /dev-2@example\.org +deleted\n/)
      assert.match(folded, /\+ deployment\/api deleted by the namespace controller\n/)
      assert.match(
        await told('namespace doomed --max-history 1 --consequences'),
        /the namespace controller +configmap\/settings deleted\n/,
      )
      assert.match(
        await told('cm settings -n doomed'),
        /dev-2@example\.org \(deleted namespace\/doomed\) +deleted\n/,
      )
    })
  })

  describe('of what was refused', () => {
    it('shows what was refused only to who asks for it', async () => {
      await world.until(
        async () => (await changes('cronjobs -n full --state not-landed'))[0],
        'what was refused',
      )
      assert.match(
        await told('cronjobs -n full --state not-landed'),
        /cronjob\/no +dev-1@example\.org +did NOT land: [^]* created: x\n$/,
      )
      const { stdout, exitCode } = await tried('cronjob no -n full')
      assert.deepEqual([exitCode, stdout], [3, ''])
    })
  })

  describe('where the companion fails', () => {
    it('goes on by managedFields while it is down, and shows the gap afterwards', async () => {
      await world.companion.kill()
      const formats = ['list', 'yaml', 'patch', 'json']
      for (const [format, answer] of await inEach(formats, 'deploy web -n shop')) {
        const { stdout, stderr, exitCode } = answer
        assert.equal(exitCode, 0, stderr)
        assert.match(stdout, /kubectl-/)
        assert.match(stderr, /companion.*(?:managers, not people|showing field managers)/, format)
      }
      for (const line of ['deploy web -n shop -f diff', 'deploy web -n shop --companion=require', '']) {
        const { stdout, exitCode } = await tried(line)
        assert.deepEqual([exitCode, stdout], [3, ''], line)
      }
      await runIn('shop', BOB, 'set image deployment/web nginx=nginx:1.31')
      // Shorter ones are no gaps.
      await delay(GAP_MS)
      await world.companion.start()
      await world.until(
        async () =>
          (await changes('deploy web -n shop --max-history 1 --state unattributed --companion=require'))[0],
        'a change that nobody reviewed',
      )
      const stdout = await told('deploy web -n shop --max-history 2')
      assert.match(stdout, /^-- not recording .* \(companion restarted\); 1 change without a name:$/m)
      assert.match(
        stdout,
        /\? \(manager: kubectl-set\) +containers\[nginx\]\.image +nginx:1\.30 → nginx:1\.31$/m,
      )
      assert.deepEqual(await namesAt('deploy web -n shop', 'image:', 'dnsPolicy:'), ['(kubectl-set)', ALICE])
    })

    it('says in one line that a companion records nothing, and shows field managers', async () => {
      let other: Companion | undefined
      try {
        await world.companion.terminate()
        other = await startCompanion(world.cluster, { ports: world.companion.ports })
        // It was known to record until now.
        const required = await tried('deploy web -n shop --companion=require')
        assert.deepEqual([required.exitCode, required.stdout], [3, ''])
        assert.match(required.stderr, /kubectl deckwatch install --components all/)
        const { stdout, stderr, exitCode } = await tried('deploy web -n shop')
        assert.equal(exitCode, 0, stderr)
        assert.match(stdout, /^deployment\/web in shop: last writes by field manager/)
        assert.match(
          stderr,
          /^Nothing is recorded, so managers, not people: kubectl deckwatch install --components all\nMore: .*\n$/,
        )
      } finally {
        await other?.stop()
      }
    })
  })
})

/** The revision of a rollout is a controller's bookkeeping, managedFields kubectl hides as blame does. */
function withoutRevision(value: unknown): unknown {
  const object = value as { metadata: { annotations?: Record<string, string>; managedFields?: unknown } }
  const { annotations = {}, managedFields: _managed, ...metadata } = object.metadata
  const { 'deployment.kubernetes.io/revision': _revision, ...others } = annotations
  const {
    generation: _generation,
    resourceVersion: _version,
    ...rest
  } = metadata as { generation?: number; resourceVersion?: string }
  return {
    ...object,
    metadata: { ...rest, ...(Object.keys(others).length > 0 ? { annotations: others } : {}) },
  }
}
