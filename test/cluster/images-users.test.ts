import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { KubernetesObject, V1PolicyRule } from '@kubernetes/client-node'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'
import { cells, KubectlImages } from '../kit/plugin/kubectl-images.ts'
import { shortToken } from '../kit/plugin/short-token.ts'
import { applyManifests } from '../kit/shop/deploy-shop.ts'
import { sharedShop } from '../kit/shop/shared-shop.ts'

const SET_UP_MS = 300_000
const READ_PODS: V1PolicyRule = { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }

describe('kubectl images with the rights of', () => {
  let cluster: ControlPlane
  let images: KubectlImages

  before(async function () {
    cluster = await requireCluster(this)
    this.timeout(SET_UP_MS)
    images = new KubectlImages(cluster)
    await sharedShop(cluster)
    await applyManifests(cluster, [
      ...roleIn('shop', 'images-shop-reader', [READ_PODS], 'shop-reader'),
      ...clusterRole('images-pods-reader', [READ_PODS], 'pods-reader'),
    ])
  })

  it('one namespace: it answers there, sizes are ?, one line says why, and the exit code is 0', async () => {
    const kubeconfig = cluster.user('shop-reader')
    const { stdout, stderr, exitCode } = await images.run(['-n', 'shop'], { kubeconfig })
    const [header, ...rows] = cells(stdout)
    assert.equal(header?.at(-1), 'SIZE')
    assert.deepEqual(
      rows.map((row) => row.at(-1)),
      Array.from({ length: 6 }, () => '?'),
    )
    assert.equal(
      stderr,
      'warning: sizes are unknown: user "shop-reader" may not list nodes\n6 images, 11 pods, 6 workloads.\n',
    )
    assert.equal(exitCode, 0)
  })

  it('one namespace, asking for all: it names the missing right and the command that works', async () => {
    const kubeconfig = cluster.user('shop-reader')
    const { stdout, stderr, exitCode } = await images.run(['-A'], { kubeconfig })
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /^error: user "shop-reader" may not list pods in all namespaces \[KUBE_FORBIDDEN\]\n/,
    )
    assert.match(stderr, /-n NAMESPACE/)
    assert.equal(exitCode, 3)
  })

  it('all pods but no nodes and no ReplicaSets: -o wide says what it had to guess', async () => {
    const kubeconfig = cluster.user('pods-reader')
    const { stdout, stderr, exitCode } = await images.run(['-n', 'shop', '--by', 'workload', '-o', 'wide'], {
      kubeconfig,
    })
    assert.match(stdout, /^deploy\/web /m)
    assert.match(stderr, /^warning: sizes are unknown: user "pods-reader" may not list nodes$/m)
    assert.match(
      stderr,
      /^warning: workloads are guessed from the names of their owners: user "pods-reader" may not list /m,
    )
    assert.equal(exitCode, 0)
  })

  it('nobody: it names the missing right and ends with 3', async () => {
    const kubeconfig = cluster.user('stranger')
    for (const args of [
      ['-n', 'shop'],
      ['-n', 'shop', '--follow'],
      ['-n', 'shop', '-o', 'json'],
    ]) {
      const { stdout, stderr, exitCode } = await images.run(args, { kubeconfig })
      assert.equal(stdout, '')
      assert.match(stderr, /^error: user "stranger" may not list pods in namespace shop \[KUBE_FORBIDDEN\]$/m)
      assert.equal(exitCode, 3)
    }
  })

  describe('somebody else, by impersonation:', () => {
    it('--as a user', async () => {
      const { stderr, exitCode } = await images.run(['-n', 'shop', '--as', 'stranger'])
      assert.match(stderr, /user "stranger" may not list pods/)
      assert.equal(exitCode, 3)
      const { stdout } = await images.run(['-n', 'shop', '--as', 'shop-reader', '-o', 'name'])
      assert.match(stdout, /^redis:7-alpine$/m)
    })

    it('--as-group, which gives the rights of the group', async () => {
      const args = ['-n', 'shop', '-o', 'name', '--as', 'stranger']
      assert.equal((await images.run([...args, '--as-group', 'system:authenticated'])).exitCode, 3)
      const groups = ['--as-group', 'system:authenticated', '--as-group', 'system:masters']
      assert.equal((await images.run([...args, ...groups])).exitCode, 0)
    })

    it('refused to those who may not impersonate', async () => {
      const kubeconfig = cluster.user('shop-reader')
      const { stderr, exitCode } = await images.run(['-n', 'shop', '--as', 'admin'], { kubeconfig })
      assert.match(stderr, /user "shop-reader" may not impersonate users "admin"/)
      assert.equal(exitCode, 3)
    })
  })

  describe('a credential that has ended:', () => {
    it('a client certificate, with its end', async () => {
      const kubeconfig = cluster.user('pods-reader', [], Date.now() - 1000)
      const { stdout, stderr, exitCode } = await images.run(['-A'], { kubeconfig })
      assert.equal(stdout, '')
      assert.match(
        stderr,
        /does not know us .*: the client certificate ended on \d{4}-\d\d-\d\d \[KUBE_UNAUTHORIZED\]/,
      )
      assert.match(stderr, /Get a new client certificate/)
      assert.equal(exitCode, 3)
    })

    it('a token, without showing it', async () => {
      const token = await shortToken(cluster, {
        namespace: 'default',
        name: 'late',
        expiresAt: Date.now() - 1000,
      })
      const { stdout, stderr, exitCode } = await images.run(['-A'], {
        kubeconfig: cluster.tokenKubeconfig(token),
      })
      assert.equal(stdout, '')
      assert.match(stderr, /\[KUBE_UNAUTHORIZED\]\nThe token may have ended/)
      assert.equal(stderr.includes(token), false)
      assert.equal(exitCode, 3)
    })
  })

  describe('whoever an exec plugin says:', () => {
    /** A kubeconfig whose user is told by a shell script. */
    function execKubeconfig(name: string, script: string): string {
      const program = cluster.folder.file(`${name}.sh`)
      writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o700 })
      const text = readFileSync(cluster.tokenKubeconfig('unused'), 'utf8')
      const exec = [
        'exec:',
        '      apiVersion: client.authentication.k8s.io/v1',
        `      command: ${program}`,
        '      interactiveMode: Never',
        '      provideClusterInfo: true',
      ].join('\n')
      const path = cluster.folder.file(`${name}.kubeconfig`)
      writeFileSync(path, text.replace('token: unused', exec), { mode: 0o600 })
      return path
    }

    const credential = (status: string) =>
      `printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":${status}}'`

    it('a token', async () => {
      await applyManifests(
        cluster,
        clusterRole('images-exec', [READ_PODS], 'system:serviceaccount:default:exec'),
      )
      const token = await cluster.token('default', 'exec')
      const kubeconfig = execKubeconfig('exec-token', credential(`{"token":"${token}"}`))
      const { stdout, stderr, exitCode } = await images.run(['-n', 'shop', '-o', 'name'], { kubeconfig })
      assert.equal(stderr, '')
      assert.match(stdout, /^redis:7-alpine$/m)
      assert.equal(exitCode, 0)
    })

    it('with the cluster’s address told to the plugin', async () => {
      const seen = cluster.folder.file('exec-info')
      const kubeconfig = execKubeconfig(
        'exec-info',
        `printf '%s' "$KUBERNETES_EXEC_INFO" > ${seen}\n${credential('{"token":"none"}')}`,
      )
      const { exitCode } = await images.run(['-n', 'shop'], { kubeconfig })
      assert.equal(exitCode, 3)
      assert.equal(JSON.parse(readFileSync(seen, 'utf8')).spec.cluster.server, cluster.url)
    })

    it('who fails: its words and its name, and exit code 3', async () => {
      const kubeconfig = execKubeconfig('exec-failing', 'echo "session has ended, log in" >&2; exit 1')
      const { stdout, stderr, exitCode } = await images.run(['-n', 'shop'], { kubeconfig })
      assert.equal(stdout, '')
      assert.match(stderr, /session has ended, log in/)
      assert.match(stderr, /exec-failing\.sh/)
      assert.match(stderr, /\[CREDENTIAL_PLUGIN\]/)
      assert.equal(exitCode, 3)
    })
  })
})

function roleIn(namespace: string, name: string, rules: V1PolicyRule[], user: string): KubernetesObject[] {
  return rbac({ kind: 'Role', metadata: { name, namespace } }, rules, user)
}

function clusterRole(name: string, rules: V1PolicyRule[], user: string): KubernetesObject[] {
  return rbac({ kind: 'ClusterRole', metadata: { name } }, rules, user)
}

function rbac(
  role: { kind: string; metadata: { name: string; namespace?: string } },
  rules: V1PolicyRule[],
  user: string,
): KubernetesObject[] {
  const apiGroup = 'rbac.authorization.k8s.io'
  const apiVersion = `${apiGroup}/v1`
  const binding = {
    apiVersion,
    kind: `${role.kind}Binding`,
    metadata: role.metadata,
    roleRef: { apiGroup, kind: role.kind, name: role.metadata.name },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  }
  return [{ apiVersion, ...role, rules } as KubernetesObject, binding]
}
