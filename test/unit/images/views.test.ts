import assert from 'node:assert/strict'
import { closingLines, summaryLine } from '../../../src/cli/features/images/closing-lines.ts'
import { viewColumns } from '../../../src/cli/features/images/columns.ts'
import { parseContainerColumns, uniqueRows } from '../../../src/cli/features/images/container-columns.ts'
import { podsAnswer } from '../../../src/cli/features/images/images-answer.ts'
import { rowNames } from '../../../src/cli/features/images/row-names.ts'
import { VIEW_NAMES, viewRows, type ViewName } from '../../../src/cli/features/images/views.ts'
import { Placements, type PlacementOptions } from '../../../src/core/model/image-usage.ts'
import { NodeImages } from '../../../src/core/model/node-images.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { digest, use, webPod } from './pods.ts'

function place(pods: readonly PodSlice[], options: PlacementOptions = {}) {
  const placements = new Placements(options)
  for (const pod of pods) placements.add(pod)
  return placements.all
}

function answerOf(pods: readonly PodSlice[], nodes?: NodeImages) {
  return podsAnswer({ pods: pods.length, placements: place(pods), nodes, warnings: [] }, undefined)
}

function screen(
  view: ViewName,
  pods: readonly PodSlice[],
  nodes?: NodeImages,
  allNamespaces = false,
): string[][] {
  const columns = viewColumns(view, { allNamespaces, wide: false })
  return viewRows(view, place(pods), nodes).map((row) => columns.map(({ cell }) => cell(row)))
}

const nodes = new NodeImages([
  {
    name: 'n1',
    images: [{ sizeBytes: 70 * 2 ** 20, names: ['docker.io/library/nginx:1.25', `x@${digest(1)}`] }],
  },
])

describe('rows by image', () => {
  it('are one for an image, however pod specs spell it', () => {
    const pods = [
      webPod('a', [use('app', 'nginx:1.25', { running: 1 })]),
      webPod('b', [use('app', 'docker.io/library/nginx:1.25', { running: 1 })], { nodeName: 'n2' }),
    ]
    assert.deepEqual(screen('image', pods, nodes), [
      ['docker.io/library/nginx', '1.25', '111111111111', '2', '1', '2', '70 MiB'],
    ])
  })

  it('show a tag that runs as two digests', () => {
    const pods = [1, 2].map((running) => webPod(`p${running}`, [use('app', 'redis:7', { running })]))
    assert.equal(screen('image', pods)[0]?.[2], '2 digests (!)')
    const rows = viewRows('image', place(pods), undefined)
    const [line] = closingLines(answerOf(pods), rows, 'kubectl images')
    assert.equal(
      line,
      '1 image, 2 pods, 1 workload. (!) redis:7 runs as 2 digests: kubectl images redis:7 --by pod',
    )
  })

  it('begin another line where a sentence would not fit 100 columns', () => {
    const pods = [1, 2].map((running) => webPod(`p${running}`, [use('app', 'redis:7', { running })]))
    const lines = closingLines(
      answerOf(pods),
      viewRows('image', place(pods), undefined),
      'kubectl images -n a-longer-namespace',
    )
    assert.deepEqual(lines, [
      '1 image, 2 pods, 1 workload.',
      '(!) redis:7 runs as 2 digests: kubectl images -n a-longer-namespace redis:7 --by pod',
    ])
  })

  it('count the images with several digests beside the first', () => {
    const pods = [1, 2].flatMap((running) => [
      webPod(`p${running}`, [use('app', 'redis:7', { running }), use('log', 'log:1', { running })]),
    ])
    const rows = viewRows('image', place(pods), undefined)
    const [, line] = closingLines(answerOf(pods), rows, 'kubectl images')
    assert.equal(line, '(!) log:1 runs as 2 digests (1 more such): kubectl images log:1 --by pod')
  })

  it('show a digest only where it runs; what is pinned by digest alone is named by it', () => {
    const pods = [webPod('a', [use('app', `nginx@${digest(3)}`)])]
    assert.deepEqual(screen('image', pods)[0]?.slice(0, 3), ['docker.io/library/nginx', '@333333333333', '-'])
  })

  it('do not take a bare image id for a second digest', () => {
    const local = { ...use('app', 'redis:7'), imageID: digest(9) }
    const pods = [webPod('a', [use('app', 'redis:7', { running: 1 })]), webPod('b', [local])]
    assert.equal(screen('image', pods)[0]?.[2], '111111111111')
  })

  it('say how an image is used where it is only used so', () => {
    const pods = [
      webPod('a', [
        use('setup', 'migrate:1', { type: 'init' }),
        use('debug', 'tools:1', { type: 'ephemeral' }),
      ]),
      webPod('b', [
        use('data', 'model:1', { type: 'volume' }),
        use('app', 'web:1'),
        use('web', 'web:1', { type: 'init' }),
      ]),
    ]
    assert.deepEqual(
      screen('image', pods).map(([image]) => image),
      [
        'docker.io/library/migrate (init)',
        'docker.io/library/model (volume)',
        'docker.io/library/tools (ephemeral)',
        'docker.io/library/web',
      ],
    )
  })

  it('explain an unknown size by the 50 images that a kubelet reports', () => {
    const full = Array.from({ length: 50 }, (_, i) => ({
      sizeBytes: i,
      names: [`docker.io/library/i${i}:1`],
    }))
    const capped = new NodeImages([{ name: 'n1', images: full }])
    const placements = place([webPod('a', [use('app', 'small:1')])])
    const lines = closingLines(
      podsAnswer({ pods: 2, placements, nodes: capped, warnings: [] }, undefined),
      viewRows('image', placements, capped),
      '',
    )
    assert.equal(lines[1], '? = not among the 50 images that the node reports')
  })

  it('give every reason there is for unknown sizes', () => {
    const full = Array.from({ length: 50 }, (_, i) => ({
      sizeBytes: i,
      names: [`docker.io/library/i${i}:1`],
    }))
    const mixed = new NodeImages([
      { name: 'n1', images: full },
      { name: 'n2', images: [] },
    ])
    const placements = place([
      webPod('a', [use('app', 'small:1')]),
      webPod('b', [use('app', 'other:1')], { nodeName: 'n2' }),
    ])
    const lines = closingLines(
      podsAnswer({ pods: 2, placements, nodes: mixed, warnings: [] }, undefined),
      viewRows('image', placements, mixed),
      '',
    )
    assert.equal(lines[1], '? = not among the 50 images that the node reports, or not pulled yet')
  })

  it('keep the text of what is no image reference', () => {
    assert.equal(screen('image', [webPod('a', [use('app', 'UPPER:bad:ref')])])[0]?.[0], 'UPPER:bad:ref')
  })
})

describe('rows by something else', () => {
  const pods = [
    webPod('a', [
      use('app', 'nginx:1.25', { running: 1 }),
      use('log', 'quay.io/acme/log:2', { type: 'sidecar' }),
    ]),
    webPod('b', [use('app', 'nginx:1.25', { running: 1 })], { namespace: 'pay', nodeName: '' }),
  ]

  it('keep pods of one name in two namespaces apart', () => {
    const same = [
      webPod('web-0', [use('app', 'a:1')]),
      webPod('web-0', [use('app', 'a:1')], { namespace: 'pay' }),
    ]
    assert.equal(screen('pod', same, undefined, true).length, 2)
    assert.equal(viewRows('container', place(same), undefined).length, 2)
    assert.equal(
      summaryLine(answerOf(same), 2),
      '[Summary]: 2 namespaces, 2 pods, 2 containers and 1 different images',
    )
  })

  it('count by workload, node, registry and namespace', () => {
    assert.deepEqual(screen('workload', pods, nodes, true), [
      ['pay', 'deploy/web', 'docker.io/library/nginx', '1.25', '111111111111', '1', '0', '70 MiB'],
      ['shop', 'deploy/web', 'docker.io/library/nginx', '1.25', '111111111111', '1', '1', '70 MiB'],
      ['shop', 'deploy/web', 'quay.io/acme/log (sidecar)', '2', '-', '1', '1', '?'],
    ])
    assert.deepEqual(screen('node', pods, nodes), [
      ['-', '1', '1', '1', '70 MiB'],
      ['n1', '2', '1', '1', '>70 MiB'],
    ])
    assert.deepEqual(screen('registry', pods, nodes), [
      ['docker.io', '1', '2', '2', '1', '70 MiB'],
      ['quay.io', '1', '1', '1', '1', '?'],
    ])
    assert.deepEqual(screen('namespace', pods, nodes), [
      ['pay', '1', '1', '1', '0', '70 MiB'],
      ['shop', '2', '1', '1', '1', '>70 MiB'],
    ])
  })

  it('have the prefixes of kubectl-images before containers that are no ordinary ones', () => {
    assert.deepEqual(
      screen('container', pods).map(([, container]) => container),
      ['app', 'app', '(sidecar) log'],
    )
  })

  it('name what other tools take', () => {
    const names = (view: ViewName) => rowNames(view, viewRows(view, place(pods), undefined))
    assert.deepEqual(names('image'), ['nginx:1.25', 'quay.io/acme/log:2'])
    assert.deepEqual(names('pod'), ['pod/b', 'pod/a'])
    assert.deepEqual(names('workload'), ['deploy/web', 'deploy/web'], 'one in each namespace')
    assert.deepEqual(names('node'), ['node/n1'])
    assert.deepEqual(names('namespace'), ['namespace/pay', 'namespace/shop'])
  })

  it('are empty where nothing runs', () => {
    for (const view of VIEW_NAMES) assert.deepEqual(viewRows(view, [], undefined), [])
  })
})

describe('what is kept', () => {
  const pods = [
    webPod('web-1', [use('app', 'nginx:1')]),
    webPod('db-1', [use('app', 'postgres:16')], { phase: 'Failed' }),
  ]
  const kept = (options: PlacementOptions) => place(pods, options).map(({ use: { image } }) => image)

  it('finds an image by what the screen shows of it, tag included', () => {
    const perl = place([webPod('a', [use('app', 'perl')])], {
      match: { pattern: /library\/perl:latest$/, on: 'image' },
    })
    assert.equal(perl.length, 1)
  })

  it('matches pod names and images, or one of them', () => {
    assert.deepEqual(kept({ match: { pattern: /web|postgres/, on: 'either' } }), ['nginx:1', 'postgres:16'])
    assert.deepEqual(kept({ match: { pattern: /web|postgres/, on: 'pod' } }), ['nginx:1'])
    assert.deepEqual(kept({ match: { pattern: /web|postgres/, on: 'image' } }), ['postgres:16'])
  })

  it('finds an image by its normal form too', () => {
    assert.deepEqual(kept({ match: { pattern: /^docker\.io\/library\/nginx/, on: 'image' } }), ['nginx:1'])
  })

  it('leaves out finished pods where asked', () => {
    assert.deepEqual(kept({ runningOnly: true }), ['nginx:1'])
  })
})

describe('the columns of -c', () => {
  it('are the numbers of kubectl-images, and names', () => {
    const titles = (list: string) => parseContainerColumns(list).map(({ title }) => title)
    assert.deepEqual(titles('0,1,2,3,4,5'), [
      'Namespace',
      'Pod',
      'Container',
      'Image',
      'ImagePullPolicy',
      'ImageSize',
    ])
    assert.deepEqual(titles('digest, node'), ['Digest', 'Node'])
    for (const list of ['6', '', '1,,2', 'nope', '-1', '01']) {
      assert.throws(() => parseContainerColumns(list), { name: 'DeckError', code: 'USAGE' }, list)
    }
  })

  it('make --unique mean once for each combination that is shown (20 records for 10 images in kubectl-images)', () => {
    const rows = viewRows(
      'container',
      place([1, 2, 3].map((n) => webPod(`p${n}`, [use('app', 'nginx:1')]))),
      undefined,
    )
    assert.equal(uniqueRows(rows, parseContainerColumns('3')).length, 1)
    assert.equal(uniqueRows(rows, parseContainerColumns('1,3')).length, 3)
  })
})
