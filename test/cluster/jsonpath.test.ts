import assert from 'node:assert/strict'
import { parseCustomColumns, renderCustomColumns } from '../../src/cli/render/custom-columns.ts'
import { parseJsonPath, renderJsonPath } from '../../src/cli/render/jsonpath.ts'
import { whyNoKubernetes } from '../kit/kubernetes/build.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { skip } from '../kit/skip.ts'

const labels = { suite: 'jsonpath', 'app.kubernetes.io/name': 'shop' }
const OBJECTS = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-0', labels, annotations: { note: '<b>"größe"</b> & more', path: 'C:\\temp' } },
    spec: {
      nodeName: 'node-1',
      containers: [
        {
          name: 'app',
          image: 'nginx:1.25',
          ports: [{ containerPort: 80 }, { containerPort: 443, name: 'https' }],
        },
        { name: 'proxy', image: 'envoy:v1.31', env: [{ name: 'LEVEL', value: 'info' }] },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', labels: { ...labels, track: 'canary' }, annotations: { only: 'one' } },
    spec: {
      initContainers: [{ name: 'migrate', image: 'acme/migrate:2' }],
      containers: [{ name: 'app', image: 'nginx:1.26', ports: [{ containerPort: 8080 }] }],
      volumes: [{ name: 'scratch', emptyDir: {} }],
      terminationGracePeriodSeconds: 5,
      hostNetwork: false,
    },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', labels },
    data: { 'log.level': 'debug', empty: '', lines: 'one\ntwo\n' },
    immutable: true,
  },
]

/** Answered alike, to the byte. */
const SAME = [
  'no braces at all{}',
  '{.kind}',
  '{ .kind }',
  '{$.kind}{@.kind}',
  '{@}',
  '{}',
  '{.}',
  '{.items[*].metadata.name}',
  '{.items[0].metadata.name}',
  '{.items[-1].metadata.name}',
  '{.items[].metadata.name}',
  '{.items[0:2].metadata.name}',
  '{.items[1:].metadata.name}',
  '{.items[:2].metadata.name}',
  '{.items[:].metadata.name}',
  '{.items[0:-1].metadata.name}',
  '{.items[-2:].metadata.name}',
  '{.items[0:3:2].metadata.name}',
  '{.items[::2].metadata.name}',
  '{.items[3:3].metadata.name}',
  '{.items[0,2].metadata.name}',
  '{.items[0:2, 2].metadata.name}',
  "{.items[*]['kind','metadata.name']}",
  "{.items[*].metadata['name', 'nothing']}",
  "{['kind']}{['items'][0]['metadata']['name']}",
  "{.items[0]['metadata.labels.suite']}",
  String.raw`{.items[*].metadata.labels.app\.kubernetes\.io/name}`,
  String.raw`{.items[0].metadata.labels['app\.kubernetes\.io/name']}`,
  String.raw`{.items[2].data.log\.level}`,
  '{.items[2].data}',
  '{.items[1].metadata.annotations.*}',
  '{.items[2].data.lines}',
  '{.items[2].immutable}',
  '{.items[0].metadata.annotations}',
  '{.items[0].metadata.annotations.note}{"\\n"}{.items[0].metadata.annotations.path}',
  '{.items[*].spec.containers[*].image}',
  '{.items[*].spec.containers[0].image}',
  '{.items[*].spec.initContainers[*].image}',
  '{.items[*].spec.containers[*].ports[*].containerPort}',
  '{.items[*].spec.containers}',
  '{.items[1].spec.volumes[0]}',
  '{.items[*].spec.terminationGracePeriodSeconds}',
  '{.items[0]..image}',
  '{..containers[*].name}',
  '{.items[0]..containerPort}',
  '{...kind}',
  '{..data}',
  '{.items[?(@.kind=="Pod")].metadata.name}',
  "{.items[?(@.kind=='Pod')].metadata.name}",
  '{.items[?(@.kind != "Pod")].metadata.name}',
  '{.items[?( @.kind == "Pod" )].metadata.name}',
  '{.items[?(.kind=="Pod")].metadata.name}',
  '{.items[?(@.spec.nodeName)].metadata.name}',
  '{.items[?(@.metadata.labels.track=="canary")].metadata.name}',
  String.raw`{.items[?(@.metadata.labels.app\.kubernetes\.io/name=="shop")].metadata.name}`,
  '{.items[?(@.metadata.name<"web")].kind}',
  '{.items[?(@.metadata.name>="web-0")].metadata.name}',
  '{.items[?(@.spec.terminationGracePeriodSeconds>5)].metadata.name}',
  '{.items[?(@.spec.terminationGracePeriodSeconds<=5)].metadata.name}',
  '{.items[?(@.immutable==true)].metadata.name}',
  '{.items[1:2]..containers[?(@..containerPort==8080)].name}',
  '{.items[0].spec.containers[?(@.name=="app")].ports[?(@.name=="https")].containerPort}',
  '{.items[?(@.metadata.name=="a)b")].kind}',
  '{range .items[*]}{.metadata.name}{"\\t"}{.kind}{"\\n"}{end}',
  '{range .items[*]}{.metadata.name}: {range .spec.containers[*]}{.name}={.image},{end};{end}',
  '{range .items[?(@.kind=="Pod")]}[{.metadata.name}]{end}{.kind}',
  '{ range .items[*] }{ @.metadata.name } { end }',
  '{range .items[*].spec.containers[*]}{@.name} {end}',
  '{range .nothing[*]}{.metadata.name}{end}after',
  '{range .items[*]}{.metadata.name}{"\\n"}',
  '{range .items[0:2]}{range .spec.volumes[*]}{.name}{end}|{end}',
  '{.nothing}',
  'a{.nothing.below.it}b',
  '{.kind.below}',
  '{.items.metadata}',
  '{"text"}{"\\u00e9\\x41\\101"}{\'it\\\'s "so"\'}{"{"}{"}"}',
  '{.kind "wins"}',
  '{1}{-2}{1.5}{true}',
  'a}b{.kind}}',
  String.raw`\n{.kind}`,
  '{.metadata.resourceVersion}|',
]

/** Members of objects come in any order in Go, and sorted by key here. */
const SAME_WORDS = ['{.items[*].metadata.labels.*}', '{..image}', '{..}', '{.items[*].status.*}']

/** Refused by both. */
const REFUSED = [
  '{.items[*].metadata.name',
  '{.items[0}',
  '{.items[x]}',
  '{.items["kind"]}',
  '{.items[--1]}',
  '{.items[1:2:3:4]}',
  '{.items[9].metadata.name}',
  '{.items[-9].metadata.name}',
  '{.items[0:9].kind}',
  '{.items[2:1].kind}',
  '{.items[::0].kind}',
  '{.metadata[*]}',
  '{.kind[0]}',
  '{.items[*].spec.containers[1].image}',
  '{[?(@.kind)]}',
  '{.items[?(@.kind=="Pod"}',
  '{.items[?(@.kind=="Pod")}',
  '{.items[?(@.kind<>"Pod")]}',
  '{.items[?(@.kind="Pod")]}',
  '{.items[?(@.kind==1)].metadata.name}',
  '{.items[?(@.spec==1)].metadata.name}',
  '{.items[?(@..containerPort==80)].metadata.name}',
  '{.kind}{end}',
  '{kind}',
  '{.kind,.items}',
  '{....kind}',
  '{..*}',
  '{*}',
  '{"open}',
  '{"a\\q"}',
  '{1.2.3}',
  '{{.kind}}',
  '{.kind\n}',
]

const COLUMNS = [
  'NAME:.metadata.name,KIND:kind',
  'Name:{.metadata.name},images:{.spec.containers[*].image},INIT:.spec.initContainers[*].image',
  'LABELS:.metadata.labels,IMMUTABLE:.immutable,STATUS:.status',
  'PORTS:.spec.containers[*].ports,GRACE:.spec.terminationGracePeriodSeconds,VOLUME:.spec.volumes[0]',
  String.raw`APP:.metadata.labels.app\.kubernetes\.io/name,NOTE:.metadata.annotations.note`,
]

describe("jsonpath and custom columns beside kubectl's", function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let list: { readonly items: readonly unknown[] }

  async function get(
    output: string,
    ...flags: string[]
  ): Promise<{ readonly stdout: string; readonly exitCode: number }> {
    return cluster.kubectl(['get', 'pods,configmaps', '-l', 'suite=jsonpath', '-o', output, ...flags])
  }

  before(async function () {
    const reason = await whyNoKubernetes()
    if (reason !== undefined) skip(this, reason)
    cluster = await startControlPlane()
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: OBJECTS })
    const created = await cluster.kubectl(['create', '-f', '-'], { input })
    assert.equal(created.exitCode, 0, created.stderr)
    list = JSON.parse((await get('json', '--show-managed-fields')).stdout) as typeof list
    assert.equal(list.items.length, OBJECTS.length)
  })

  after(() => cluster?.stop())

  for (const template of SAME) {
    it(`prints the same for ${JSON.stringify(template)}`, async () => {
      const { stdout, exitCode } = await get(`jsonpath=${template}`)
      assert.equal(exitCode, 0)
      assert.equal([...renderJsonPath(parseJsonPath(template), list)].join(''), stdout)
    })
  }

  for (const template of SAME_WORDS) {
    it(`prints the same words for ${JSON.stringify(template)}`, async () => {
      const { stdout, exitCode } = await get(`jsonpath=${template}`)
      assert.equal(exitCode, 0)
      const ours = [...renderJsonPath(parseJsonPath(template), list)].join('')
      assert.deepEqual(ours.split(/\s/).toSorted(), stdout.split(/\s/).toSorted())
    })
  }

  for (const template of REFUSED) {
    it(`refuses ${JSON.stringify(template)} as kubectl does`, async () => {
      const { exitCode } = await get(`jsonpath=${template}`)
      assert.notEqual(exitCode, 0)
      assert.throws(() => renderJsonPath(parseJsonPath(template), list), { name: 'DeckError', code: 'USAGE' })
    })
  }

  for (const spec of COLUMNS) {
    it(`prints the same columns for ${spec}`, async () => {
      const { stdout, exitCode } = await get(`custom-columns=${spec}`)
      assert.equal(exitCode, 0)
      const ours = [...renderCustomColumns(parseCustomColumns(spec), list.items)].join('')
      // kubectl pads the last column too.
      assert.equal(ours, stdout.replaceAll(/ +$/gm, ''))
    })
  }
})
