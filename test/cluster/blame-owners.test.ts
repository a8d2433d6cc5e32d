import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { parse } from 'yaml'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import type { KubectlOptions, KubectlResult } from '../kit/kubernetes/kubectl.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'
import { KubectlBlame } from '../kit/plugin/kubectl-blame.ts'
import { pluginEnvironment } from '../kit/plugin/plugin-environment.ts'

const NAMESPACE = 'blame-owners'

const deployment = (image: string, more: object = {}): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: NAMESPACE, labels: { app: 'web' } },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image, env: [{ name: 'LOG_LEVEL', value: 'info' }] }] },
      },
      ...more,
    },
  })

const definition = (plural: string, group: string, versions: readonly string[], scope: string): string =>
  JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, singular: plural.slice(0, -1), kind: 'Gizmo', shortNames: ['gz'] },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      })),
    },
  })

describe('kubectl blame on a real API server, without a companion', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let blame: KubectlBlame
  const kubectl = async (args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> => {
    const result = await cluster.kubectl(args, options)
    assert.equal(result.exitCode, 0, result.stderr)
    return result
  }
  /** The managers named at a line of today's deployment. */
  const namedAt = async (line: string, args = ['deploy', 'web', '-n', NAMESPACE]): Promise<string[]> => {
    const { stdout, stderr, exitCode } = await blame.run([
      ...args,
      '-f',
      'yaml',
      '--comments',
      '--time',
      'none',
    ])
    assert.equal(exitCode, 0, stderr)
    const found = stdout.split('\n').find((text) => text.trimStart().replace(/^- /, '').startsWith(line))
    assert.ok(found, `${line} in:\n${stdout}`)
    return [...found.matchAll(/\(([^)]+)\)/g)].map(([, name = '']) => name)
  }

  before(async function () {
    cluster = await requireCluster(this)
    blame = new KubectlBlame(cluster)
    await ensureNamespace(cluster.admin, NAMESPACE)
    const definitions = [
      definition('gizmos', 'alpha.blame.test', ['v3', 'v2', 'v1beta1'], 'Namespaced'),
      definition('gizmos', 'beta.blame.test', ['v1'], 'Cluster'),
    ]
    for (const input of definitions) await kubectl(['apply', '-f', '-'], { input })
    await kubectl(['apply', '-f', '-'], { input: deployment('nginx:1.24') })
    await kubectl([
      'wait',
      '--for=condition=Established',
      'crd/gizmos.alpha.blame.test',
      'crd/gizmos.beta.blame.test',
    ])
  })
  after(async () => {
    await cluster.kubectl([
      'delete',
      'crd',
      'gizmos.alpha.blame.test',
      'gizmos.beta.blame.test',
      '--ignore-not-found',
    ])
    await cluster.kubectl(['delete', 'clusterrole', 'blame-owners', '--ignore-not-found'])
    await deleteNamespace(cluster.admin, NAMESPACE)
  })

  it('names who applied, scaled, edited and applied on the server, each at its lines', async () => {
    await kubectl(['scale', 'deploy/web', '-n', NAMESPACE, '--replicas=3'])
    await kubectl(['edit', 'deploy/web', '-n', NAMESPACE], {
      env: { KUBE_EDITOR: "sed -i 's/nginx:1.24/nginx:1.25/'" },
    })
    // kubectl hands what was applied from here over to who applies on the server: that is another object.
    await kubectl(['apply', '--server-side', '--field-manager=pipeline', '-f', '-'], {
      input: deployment('nginx:1.24').replace('"name":"web"', '"name":"api"'),
    })
    assert.deepEqual(await namedAt('replicas:'), ['kubectl /scale'])
    assert.deepEqual(await namedAt('image:'), ['kubectl-edit'])
    assert.deepEqual(await namedAt('image:', ['deploy', 'api', '-n', NAMESPACE]), ['pipeline'])
    assert.deepEqual(await namedAt('app: web'), ['kubectl-client-side-apply'])
  })

  it('prints the object itself as YAML with comments', async () => {
    const { stdout } = await blame.run([
      'deploy/web',
      '-n',
      NAMESPACE,
      '-f',
      'yaml',
      '--comments',
      '--include',
      'status,managed',
    ])
    const today = JSON.parse(
      (await kubectl(['get', 'deploy', 'web', '-n', NAMESPACE, '-o', 'json'])).stdout,
    ) as unknown
    assert.deepEqual(parse(stdout), today)
  })

  it('lists the last write of each manager, the fields with today’s values', async () => {
    const changes = await blame.changes(['deploy', 'web', '-n', NAMESPACE, '--max-history', '0'])
    const managers = changes.map(({ via, object }) => `${via.manager} ${object.subresource}`.trim())
    assert.deepEqual(managers.toSorted(), ['kubectl scale', 'kubectl-client-side-apply', 'kubectl-edit'])
    const edit = changes.find(({ via }) => via.manager === 'kubectl-edit')
    assert.deepEqual(
      edit?.changes.map(({ path, to }) => [path, to]),
      [['spec.template.spec.containers[name=app].image', 'nginx:1.25']],
    )
    assert.ok(changes.every(({ state, user, metadata }) => state === 'unattributed' && !user && !metadata))
    const listed = await blame.run(['deployments', '-n', NAMESPACE])
    assert.match(listed.stdout, /deployment\/web/)
    assert.match(listed.stderr, /kubectl deckwatch install --components audit-log/)
  })

  it('takes every word for a type that kubectl takes', async () => {
    for (const words of [
      ['deploy', 'web'],
      ['deployments', 'web'],
      ['deployment/web'],
      ['Deployment', 'web'],
      ['deployments.apps', 'web'],
      ['deployments.v1.apps', 'web'],
      ['deploy.app', 'web'],
    ]) {
      const [change] = await blame.changes([...words, '-n', NAMESPACE])
      assert.equal(change?.object.kind, 'Deployment', words.join(' '))
    }
    const { exitCode, stderr } = await blame.run(['deploiment', 'web'])
    assert.equal(exitCode, 2)
    assert.match(stderr, /no resource type "deploiment".*\nDid you mean deployments\?/)
  })

  it('knows a kind with three versions, and another of the same name in another group', async () => {
    const gizmo = (apiVersion: string, name: string) =>
      JSON.stringify({ apiVersion, kind: 'Gizmo', metadata: { name }, size: 1 })
    await kubectl(['create', '-n', NAMESPACE, '-f', '-'], { input: gizmo('alpha.blame.test/v2', 'one') })
    await kubectl(['create', '-f', '-'], { input: gizmo('beta.blame.test/v1', 'two') })
    const versions: string[] = []
    for (const word of [
      'gizmos.alpha.blame.test',
      'gizmos.v2.alpha.blame.test',
      'gz.v1beta1.alpha.blame.test',
      'gizmo.alpha',
    ]) {
      const [change] = await blame.changes([word, 'one', '-n', NAMESPACE])
      versions.push(`${change?.object.group}/${change?.object.version} ${change?.via.manager}`)
    }
    const group = 'alpha.blame.test'
    assert.deepEqual(versions, [
      `${group}/v3 kubectl-create`,
      `${group}/v2 kubectl-create`,
      `${group}/v1beta1 kubectl-create`,
      `${group}/v3 kubectl-create`,
    ])
    const [two] = await blame.changes(['gizmos.beta.blame.test', 'two'])
    assert.deepEqual([two?.object.group, two?.object.namespace], ['beta.blame.test', ''])
    // The plain name means the same as to kubectl, whichever that is.
    const meant = (await kubectl(['get', 'gizmos', '-A', '-o', 'name'])).stdout.trim().split('\n')
    const shown = await blame.changes(['gizmos', '-A'])
    assert.deepEqual(
      shown.map(({ object }) => `gizmo.${object.group}/${object.name}`),
      meant,
    )
  })

  it('shows objects without a namespace', async () => {
    await kubectl(['create', 'clusterrole', 'blame-owners', '--verb=get', '--resource=pods'])
    const { stdout } = await blame.run(['clusterrole/blame-owners'])
    assert.match(stdout, /^clusterrole\/blame-owners: last writes by its field manager/)
    assert.match(stdout, /kubectl-create/)
  })

  it('uses the context that is named, of several kubeconfigs, and its namespace', async () => {
    const config = JSON.parse(
      (await kubectl(['config', 'view', '--raw', '--flatten', '-o', 'json'])).stdout,
    ) as {
      contexts: { name: string; context: object }[]
    }
    const [first] = config.contexts
    assert.ok(first)
    const file = cluster.folder.file('blame-context.kubeconfig')
    const contexts = [{ name: 'blame', context: { ...first.context, namespace: NAMESPACE } }]
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', contexts }), { mode: 0o600 })
    const env = { KUBECONFIG: `${file}:${cluster.adminKubeconfig}` }
    const { stdout, stderr } = await blame.run(['deploy', 'web', '--context', 'blame'], { env })
    assert.match(stdout, new RegExp(`^deployment/web in ${NAMESPACE}: `), stderr)
    assert.ok((await readFile(file, 'utf8')).includes('blame'))
  })

  it('says which right is missing, and asks with the rights of the caller', async () => {
    const kubeconfig = cluster.user('blame-nobody')
    const { stdout, stderr, exitCode } = await blame.run(
      ['deploy', 'web', '-n', NAMESPACE, '--companion=never'],
      {
        kubeconfig,
      },
    )
    assert.deepEqual([stdout, exitCode], ['', 3])
    assert.match(
      stderr,
      /user "blame-nobody" may not get deployments\.apps "web" in namespace blame-owners.*\[KUBE_FORBIDDEN\]/,
    )
  })

  it('fails for an object that is not there, as for a type', async () => {
    const { exitCode, stderr } = await blame.run(['deploy', 'nope', '-n', NAMESPACE, '--companion=never'])
    assert.equal(exitCode, 3)
    assert.match(stderr, /deployments\.apps "nope" not found \[KUBE_NOT_FOUND\]/)
  })

  it('says that the overview needs the companion', async () => {
    const { stdout, stderr, exitCode } = await blame.run([])
    assert.deepEqual([stdout, exitCode], ['', 3])
    assert.match(stderr, /has no companion.*\[COMPANION_ABSENT\]\n.*--components audit-log\n$/)
  })

  it('completes types and names as the real kubectl asks for them', async () => {
    const complete = async (...typed: string[]): Promise<string> => {
      const env = pluginEnvironment(cluster.folder.file('plugin-cache'))
      return (await kubectl(['__complete', 'blame', ...typed], { env })).stdout
    }
    assert.match(await complete('-n', NAMESPACE, 'deploy', ''), /^api\nweb\n:4\n/)
    assert.match(await complete('gizmos'), /^gizmos\ngizmos\.(?:alpha|beta)\.blame\.test\n:4\n/)
  })
})
