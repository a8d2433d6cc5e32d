import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from '../kit/aggregated/eventually.ts'
import { MemoryResource } from '../kit/aggregated/memory-resource.ts'
import { type Aggregated, startAggregated } from '../kit/aggregated/start-aggregated.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'

const NAMESPACE = 'api-kubectl'

describe('kubectl with the aggregated API behind a real API server', () => {
  let cluster: ControlPlane
  let aggregated: Aggregated
  let widgets: MemoryResource

  before(async function () {
    cluster = await requireCluster(this)
    widgets = new MemoryResource()
    const clusterWidgets = new MemoryResource({ namespaced: false })
    aggregated = await startAggregated(cluster, [widgets.resource, clusterWidgets.resource])
    await ensureNamespace(cluster.admin, NAMESPACE)
    for (const [name, color] of [
      ['a', 'blue'],
      ['bb', 'red'],
      ['ccc', 'green'],
    ] as const) {
      widgets.put({ name, color, namespace: NAMESPACE, labels: { app: name } })
    }
    clusterWidgets.put({ name: 'whole' })
  })
  after(() => aggregated?.stop())

  /** What kubectl prints; it must succeed. */
  async function kubectl(...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await cluster.kubectl(['-n', NAMESPACE, ...args])
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  /** The words of each line, without ages. */
  const words = (table: string): readonly (readonly string[])[] =>
    table
      .trim()
      .split('\n')
      .map((line) =>
        line
          .trim()
          .split(/\s{2,}/)
          .map((word) => word.replace(/^\d+m$/, 'AGE').trim()),
      )

  it('get prints a table of our columns, also in pages, wide, with labels and for all namespaces', async () => {
    const table = [
      ['NAME', 'COLOR', 'AGE'],
      ['a', 'blue', 'AGE'],
      ['bb', 'red', 'AGE'],
      ['ccc', 'green', 'AGE'],
    ]
    assert.deepEqual(words(await kubectl('get', 'widgets')), table)
    assert.deepEqual(words(await kubectl('get', 'wd', '--chunk-size=2')), table)
    assert.deepEqual(
      words(await kubectl('get', 'widgets.deckwatch.dev', 'a', '-o', 'wide', '--show-labels')),
      [
        ['NAME', 'COLOR', 'WIDTH', 'AGE', 'LABELS'],
        ['a', 'blue', '1', 'AGE', 'app=a'],
      ],
    )
    assert.deepEqual(words(await kubectl('get', 'widgets', '-A'))[1], [NAMESPACE, 'a', 'blue', 'AGE'])
    assert.deepEqual(words(await kubectl('get', 'clusterwidgets'))[1], ['whole', 'red', 'AGE'])
  })

  it('get prints objects in the other forms', async () => {
    assert.match(await kubectl('get', 'widgets', 'a', '-o', 'yaml'), /^kind: Widget$[^]*^ {2}color: blue$/m)
    const list = JSON.parse(await kubectl('get', 'widgets', '-o', 'json')) as { items: unknown[] }
    assert.equal(list.items.length, 3)
    assert.equal(await kubectl('get', 'widgets', '-o', 'jsonpath={.items[*].metadata.name}'), 'a bb ccc')
    assert.equal(
      await kubectl('get', 'widgets', '-o', 'name', '--field-selector', 'metadata.name=a'),
      'widget.deckwatch.dev/a\n',
    )
    const columns = await kubectl('get', 'widgets', '-o', 'custom-columns=N:.metadata.name,C:.spec.color')
    assert.deepEqual(words(columns).slice(0, 2), [
      ['N', 'C'],
      ['a', 'blue'],
    ])
  })

  it('get selects and sorts', async () => {
    const names = async (...args: string[]): Promise<readonly (string | undefined)[]> =>
      words(await kubectl('get', 'widgets', '--no-headers', ...args)).map(([name]) => name)
    assert.deepEqual(await names('--sort-by=.spec.color'), ['a', 'ccc', 'bb'])
    assert.deepEqual(await names('--field-selector', 'spec.color!=blue'), ['bb', 'ccc'])
    assert.deepEqual(await names('-l', 'app in (a,ccc)'), ['a', 'ccc'])
    const { stderr } = await cluster.kubectl(['get', 'widgets', '-n', NAMESPACE, '-l', 'app=none'])
    assert.equal(stderr, `No resources found in ${NAMESPACE} namespace.\n`)
  })

  it('tells of what it cannot do in Kubernetes’ words', async () => {
    for (const [args, message] of [
      [['get', 'widgets', 'zz'], /\(NotFound\): widgets\.deckwatch\.dev "zz" not found/],
      [['get', 'widgets', '--field-selector', 'spec.size=1'], /field label not supported: spec\.size/],
      [['delete', 'widgets', 'a'], /\(MethodNotAllowed\)/],
    ] as const) {
      const { stderr, exitCode } = await cluster.kubectl(['-n', NAMESPACE, ...args])
      assert.equal(exitCode, 1)
      assert.match(stderr, message)
    }
  })

  it('describe, explain and api-resources know the kind', async () => {
    assert.match(
      await kubectl('describe', 'widgets', 'a'),
      /^Spec:\n {2}Color: {2}blue\n {2}Size:\n {4}Width: {2}1$/m,
    )
    assert.match(
      await kubectl('explain', 'widgets'),
      /A widget of the test kit\.[^]*spec\s+<Object>\n\s+What it is like\./,
    )
    assert.match(
      await kubectl('explain', 'widgets', '--recursive'),
      /^ {2}spec\s+<Object>\n {4}color\s+<string>\n {4}size\s+<Object>\n {6}width\s+<integer>$/m,
    )
    assert.match(await kubectl('explain', 'clusterwidgets.metadata.labels'), /<map\[string\]string>/)
    assert.deepEqual(
      words(await kubectl('api-resources', '--api-group', 'deckwatch.dev', '-o', 'wide')).slice(1),
      [
        ['clusterwidgets', 'deckwatch.dev/v1alpha1', 'false', 'ClusterWidget', 'get,list,watch'],
        ['widgets', 'wd', 'deckwatch.dev/v1alpha1', 'true', 'Widget', 'get,list,watch'],
      ],
    )
  })

  it('auth can-i answers by RBAC alone', async () => {
    assert.equal((await kubectl('auth', 'can-i', 'list', 'widgets.deckwatch.dev')).trim(), 'yes')
    const kubeconfig = cluster.user('nobody')
    const { stdout } = await cluster.kubectl(['auth', 'can-i', 'list', 'widgets.deckwatch.dev'], {
      kubeconfig,
    })
    assert.equal(stdout.trim(), 'no')
  })

  it('wait waits for what is and what comes', async () => {
    const condition = '--for=jsonpath={.spec.color}=violet'
    assert.match(await kubectl('wait', 'widgets/a', '--for=jsonpath={.spec.color}=blue'), /condition met/)
    const waiting = kubectl('wait', 'widgets/bb', condition, '--timeout=110s')
    await eventually('its watch', () => widgets.watchers > 0)
    widgets.put({ name: 'bb', namespace: NAMESPACE, color: 'violet', labels: { app: 'bb' } })
    assert.match(await waiting, /widget\.deckwatch\.dev\/bb condition met/)
    const gone = kubectl('wait', 'widgets/gone', '--for=delete', '--timeout=110s')
    assert.equal(await gone, '')
  })

  it('get --watch prints what is there, then what comes, and ends in peace when we stop watching', async () => {
    // Of kubectl wait: taken for the one that is to come, it would let the changes happen before that.
    await eventually('the end of earlier watches', () => widgets.watchers === 0)
    const child = spawn(
      cluster.kubectlPath,
      ['get', 'widgets', '-n', NAMESPACE, '--watch', '--output-watch-events'],
      {
        env: { ...process.env, KUBECONFIG: cluster.adminKubeconfig },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const ended = once(child, 'close') as Promise<[number | null]>
    try {
      await eventually('three rows', () => output.split('\n').length >= 4)
      await eventually('its watch', () => widgets.watchers === 1)
      widgets.put({ name: 'new', namespace: NAMESPACE, color: 'white' })
      widgets.put({ name: 'new', namespace: NAMESPACE, color: 'black' })
      widgets.remove('new', NAMESPACE)
      await eventually('three more', () => output.split('\n').length >= 7)
      assert.deepEqual(words(output).slice(4), [
        ['ADDED', 'new', 'white', 'AGE'],
        ['MODIFIED', 'new', 'black', 'AGE'],
        ['DELETED', 'new', 'black', 'AGE'],
      ])
      widgets.expire()
      widgets.put({ name: 'bb', namespace: NAMESPACE, labels: { app: 'bb' } })
      await ended
      assert.match(output, /too old resource version/)
    } finally {
      child.kill()
      await ended
    }
  })
})
