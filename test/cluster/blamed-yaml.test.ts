import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { blamedObject, type BlamedLine } from '../../src/cli/features/blame/blamed-object.ts'
import { fieldOwners } from '../../src/core/model/field-owners.ts'
import type { KubernetesObject } from '../../src/core/wire/admission-review.ts'
import { renderBlamedYaml } from '../../src/cli/render/blamed-yaml.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'

const NAMESPACE = 'blamed-yaml'

const MANIFEST = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: { note: "two\\nlines", v10: a, v9: b, on: "yes", "1": "0644" }
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - name: app
        image: nginx:1.24
        args: ["-g", "daemon off;", "--listen=:8080", "a: b", "# c", "*", ""]
        ports: [{ containerPort: 53, protocol: UDP }, { containerPort: 53 }]
        env: [{ name: LEVEL, value: "true" }, { name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
        volumeMounts: [{ name: scratch, mountPath: /scratch }]
      - { name: log, image: "fluent-bit:3" }
      volumes: [{ name: scratch, emptyDir: {} }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: app, finalizers: ["example.org/keep"] }
data:
  app.conf: "a = 1\\n\\n  b = 2 # x\\n"
  trailing: "a \\nb"
  tabs: "\\ta\\n\\tb\\n"
  empty: ""
  "1": "1"
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ name: dns, port: 53, protocol: UDP, targetPort: 53 }, { name: web, port: 80, targetPort: web }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader }
rules: [{ apiGroups: [""], resources: [pods, pods/log], verbs: [get] }, { apiGroups: ["*"], resources: ["*"], verbs: ["*"] }]
`

describe('Blamed YAML of real objects', () => {
  let cluster: ControlPlane

  before(async function () {
    this.timeout(300_000)
    cluster = await requireCluster(this)
    await ensureNamespace(cluster.admin, NAMESPACE)
    await run(['create', '-f', '-'], MANIFEST)
  })

  after(async function () {
    if (!cluster) return
    await run(['patch', 'configmap', 'app', '--type=merge', '-p', '{"metadata":{"finalizers":null}}'])
    await deleteNamespace(cluster.admin, NAMESPACE)
  })

  async function run(args: readonly string[], input?: string): Promise<string> {
    const result = await cluster.kubectl(['-n', NAMESPACE, ...args], input === undefined ? {} : { input })
    assert.equal(result.exitCode, 0, result.stderr)
    return result.stdout
  }

  const read = async (what: string): Promise<KubernetesObject> =>
    JSON.parse(await run(['get', what, '-o', 'json', '--show-managed-fields'])) as KubernetesObject

  const blame = async (what: string): Promise<readonly BlamedLine[]> => {
    const object = await read(what)
    return blamedObject(object, { owners: fieldOwners(object) })
  }

  const managersAt = (lines: readonly BlamedLine[], path: string): string[] => {
    const line = lines.find((candidate) => candidate.path === path)
    assert.ok(line, `no line of ${path}`)
    return line.owners.map(({ name, operation }) => `${name} ${operation}`)
  }

  for (const what of ['deployment/web', 'configmap/app', 'service/web', 'role/reader']) {
    it(`is the object without its names, in the text of kubectl (${what})`, async () => {
      const lines = await blame(what)
      const yaml = await run(['get', what, '-o', 'yaml'])
      assert.deepEqual(parse(lines.map(({ text }) => text).join('\n')), parse(yaml))
      for (const layout of ['above', 'comment'] as const) {
        const text = [...renderBlamedYaml([lines], { layout, time: 'relative', now: Date.now() })].join('')
        assert.deepEqual(parse(text), parse(yaml), layout)
      }
      // kubectl folds long text and escapes what a block could hold; all else is the same, line by line.
      const theirs = yaml.split('\n')
      const missing = lines
        .map(({ text }) => text)
        .filter((text) => text.length < 78 && !theirs.includes(text) && !text.includes('|'))
      const folded = new Set(lines.filter(({ continued }) => continued).map(({ text }) => text))
      assert.deepEqual(
        missing.filter((text) => !folded.has(text)),
        [],
      )
      const ours = lines.filter(({ text }) => theirs.includes(text) && text !== '').map(({ text }) => text)
      assert.deepEqual(
        ours,
        theirs.filter((text) => ours.includes(text)),
      )
    })
  }

  it('names who wrote which field: by create, set, scale and server-side apply', async () => {
    await run(['set', 'image', 'deployment/web', 'app=nginx:1.25'])
    await run(['scale', 'deployment/web', '--replicas=1'])
    const applied = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { template: { spec: { containers: [{ name: 'log', image: 'fluent-bit:3', tty: true }] } } },
    }
    await run(['apply', '--server-side', '--field-manager=ci', '-f', '-'], JSON.stringify(applied))
    const lines = await blame('deployment/web')
    const containers = 'spec.template.spec.containers'
    const create = 'kubectl-create Update'
    assert.deepEqual(managersAt(lines, `${containers}[name=app].image`), ['kubectl-set Update'])
    assert.deepEqual(managersAt(lines, `${containers}[name=app].args`), [create])
    assert.deepEqual(managersAt(lines, `${containers}[name=app].args[3]`), [create])
    assert.deepEqual(managersAt(lines, 'spec.replicas'), ['kubectl Update'])
    assert.deepEqual(managersAt(lines, `${containers}[name=log].tty`), ['ci Apply'])
    assert.deepEqual(managersAt(lines, `${containers}[name=log].image`).toSorted(), ['ci Apply', create])
    assert.deepEqual(
      managersAt(lines, `${containers}[name=app].ports[containerPort=53,protocol=UDP].protocol`),
      [create],
    )
    assert.deepEqual(managersAt(lines, 'metadata.uid'), [])
    assert.deepEqual(managersAt(lines, 'spec'), [])
    const scale = lines.find(({ path }) => path === 'spec.replicas')?.owners[0]
    assert.deepEqual([scale?.subresource, scale?.time], ['scale', undefined])
  })

  it('names who put in a finalizer', async () => {
    const lines = await blame('configmap/app')
    assert.deepEqual(managersAt(lines, 'metadata.finalizers[="example.org/keep"]'), ['kubectl-create Update'])
  })
})
