import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'
import { chartEntries, chartPackageName } from '../../scripts/release/chart-package.ts'
import { writeTarGz } from '../../scripts/release/tar.ts'
import {
  DEFAULT_VALUES,
  MANAGED_BY,
  MANAGED_BY_HELM,
  checkValues,
  manifests,
  readValues,
  type KubeObject,
} from '../../server/deploy/index.ts'
import { helm, requireHelm, type HelmResult } from '../kit/helm.ts'
import { VALUE_SETS } from '../unit/deploy/value-sets.ts'

const CHART = fileURLToPath(new URL('../../server/deploy/chart', import.meta.url))

/** What Helm adds to each object for itself; `managed-by` names whoever applies. */
const HELMS_OWN = {
  labels: ['helm.sh/chart', 'app.kubernetes.io/instance'],
  annotations: ['helm.sh/resource-policy'],
}

describe('the chart', () => {
  let program: string
  let folder: string

  before(async function () {
    program = await requireHelm(this)
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-chart-'))
  })

  after(async () => {
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  function template(sets: readonly string[], namespace = 'deckwatch'): Promise<HelmResult> {
    const flags = sets.flatMap((set) => ['--set', set])
    return helm(program, folder, ['template', 'deckwatch', CHART, '--namespace', namespace, ...flags])
  }

  for (const [name, sets] of Object.entries(VALUE_SETS)) {
    for (const namespace of ['deckwatch', '2026']) {
      it(`renders what install applies: ${name}, in namespace ${namespace}`, async () => {
        const rendered = await template(sets, namespace)
        assert.equal(rendered.exitCode, 0, rendered.stderr)
        const values = readValues({ ...DEFAULT_VALUES, namespace }, sets)
        assert.deepEqual(
          byIdentity(objectsIn(rendered.stdout).map(withoutHelmsOwn)),
          byIdentity(manifests(values).map(({ object }) => object)),
        )
      })
    }
  }

  it('leaves the namespace to others where it is told to', async () => {
    const rendered = await template(['createNamespace=false'])
    const kinds = new Set(objectsIn(rendered.stdout).map(({ kind }) => kind))
    assert.ok(kinds.has('Deployment'))
    assert.ok(!kinds.has('Namespace'))
  })

  it('says that Helm made its objects, so that install notices', async () => {
    for (const object of objectsIn((await template([])).stdout)) {
      assert.equal(object.metadata.labels['app.kubernetes.io/managed-by'], MANAGED_BY_HELM)
    }
  })

  it('is the same as a package of a release, which Helm takes as its own', async () => {
    const { version } = parse(await readFile(join(CHART, 'Chart.yaml'), 'utf8')) as { version: string }
    const file = join(folder, chartPackageName(version))
    await writeFile(file, await writeTarGz(await chartEntries(CHART, version)))
    const run = (args: readonly string[]) => helm(program, folder, args)
    for (const what of ['all', 'values']) {
      const [packed, plain] = await Promise.all([run(['show', what, file]), run(['show', what, CHART])])
      assert.equal(packed.exitCode, 0, packed.stderr)
      assert.ok(packed.stdout.length > 500)
      assert.equal(packed.stdout, plain.stdout)
    }
    const packed = await run(['template', 'deckwatch', file, '--namespace', 'deckwatch'])
    assert.equal(packed.exitCode, 0, packed.stderr)
    assert.equal(packed.stdout, (await template([])).stdout)
  })

  it('is packed for its own version only', async () => {
    await assert.rejects(chartEntries(CHART, '99.0.0'), /the chart's version is .*, not 99\.0\.0/)
  })

  it('passes the strictest of Helm’s own checks', async () => {
    const { exitCode, stdout, stderr } = await helm(program, folder, [
      'lint',
      '--strict',
      '--namespace',
      'deckwatch',
      CHART,
    ])
    assert.equal(exitCode, 0, stdout + stderr)
  })

  for (const set of [
    'namespace=elsewhere',
    'component={image-graph}',
    'components={}',
    'components={image-graph,blame}',
    'components={image-graph,image-graph}',
    'image=',
    'image=a b',
    'imagePullPolicy=Sometimes',
    'imagePullSecrets={Upper}',
    'replicas=0',
    'apiReplicas=-1',
    'apiReplicas=two',
    'storage.type=nfs',
    'storage.size=5 gigabytes',
    'storage.size=0Gi',
    'storage.path=/',
    'storage.path=/srv/../etc',
    'storage.path=srv',
    'storage.node=Node_1',
    'resources.limits.cpu=1',
    'resources.limits.memory=much',
    'priorityClassName=a b',
    'hostNetwork=yes',
    'ports.api=443',
    'ports.metrics=70000',
    'metrics.from={a.b}',
    'logLevel=trace',
    'nodeSelector.a=b c',
    'tolerations[0].key=a,tolerations[0].operator=Exists,tolerations[0].value=b',
    'tolerations[0].effect=NoSchedule',
    'tolerations[0].key=a,tolerations[0].tolerationSeconds=5',
    'imageGraph.historyDays=0',
    'imageGraph.historyDays=1.5',
    'imageGraph.historySize=256M',
    'auditLog.resources={certificates.cert-manager.io}',
    'auditLog.resources={endpoints.v1,endpoints.v1}',
    'auditLog.exclude.people={a}',
    'auditLog.exclude.namespaces={A}',
    'auditLog.include.extra={role}',
    'auditLog.conditions[0].name=a',
    'auditLog.conditions[0].name=a/b,auditLog.conditions[0].expression=has(request.name)',
    'auditLog.access=sometimes',
    'auditLog.redact={configmaps}',
    'auditLog.historyDays=0',
    'auditLog.keepLast=-1',
    'auditLog.historySize=1G',
    'auditLog.journalSize=',
    'auditLog.export.url=collector:4318',
    'auditLog.export.url=https://jane:secret@collector/v1/logs',
    'auditLog.export.format=syslog',
    'auditLog.export.secret=headers',
    'auditLog.export.secret.key=a b',
    'store=postgres://here',
    'store.key=a b',
  ]) {
    it(`refuses, as install does, ${set}`, async () => {
      assert.throws(() =>
        readValues(DEFAULT_VALUES, [set === 'namespace=elsewhere' ? 'namespace=default' : set]),
      )
      const { exitCode, stderr } = await template([set])
      assert.notEqual(exitCode, 0)
      assert.match(stderr, /values don't meet the specifications of the schema/)
    })
  }

  for (const sets of [
    ['replicas=2'],
    ['hostNetwork=true'],
    ['hostNetwork=true,ports.api=4443,ports.metrics=10256'],
    ['ports.peer=8080'],
    ['replicas=2,components={audit-log},store.secret=db'],
    ['replicas=2,store.secret=db'],
    ['auditLog.resources={endpoints.v1,secrets.v1}'],
    ['auditLog.resources={leases.v1.coordination.k8s.io}'],
    ['auditLog.resources={mutatingwebhookconfigurations.v1.admissionregistration.k8s.io}'],
    ['auditLog.perObject=5'],
    ['components={audit-log},storage.size=300Mi'],
    ['components={audit-log},auditLog.historySize=5Gi'],
  ]) {
    it(`refuses in the same words what does not go together: ${sets.join(' ')}`, async () => {
      const { exitCode, stderr } = await template(sets)
      assert.notEqual(exitCode, 0)
      assert.throws(
        () => checkValues(readValues(DEFAULT_VALUES, sets)),
        (error: Error) => stderr.includes(error.message),
      )
    })
  }

  for (const namespace of ['default', 'kube-system']) {
    it(`refuses to make namespace ${namespace} its own`, async () => {
      const { exitCode, stderr } = await template([], namespace)
      assert.notEqual(exitCode, 0)
      assert.match(stderr, /must be a namespace of its own/)
      assert.throws(() => readValues(DEFAULT_VALUES, [`namespace=${namespace}`]), /a namespace of its own/)
    })
  }
})

function objectsIn(yaml: string): KubeObject[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null)
}

function withoutHelmsOwn(object: KubeObject): KubeObject {
  return JSON.parse(JSON.stringify(object), (key, value: unknown) => {
    if (key !== 'labels' && key !== 'annotations') return value
    const kept = Object.entries(value as Record<string, string>)
      .filter(([name]) => !HELMS_OWN[key].includes(name))
      .map(([name, text]) => [
        name,
        name.endsWith('/managed-by') && text === MANAGED_BY_HELM ? MANAGED_BY : text,
      ])
    return kept.length === 0 ? undefined : Object.fromEntries(kept)
  }) as KubeObject
}

function byIdentity(objects: readonly KubeObject[]): Record<string, KubeObject> {
  const entries = objects.map((object) => {
    const { apiVersion, kind, metadata } = object
    return [`${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`, object] as const
  })
  assert.equal(new Set(entries.map(([key]) => key)).size, entries.length, 'an object is there twice')
  return Object.fromEntries(entries)
}
