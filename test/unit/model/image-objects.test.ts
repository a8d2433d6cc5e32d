import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { imageList } from '../../../src/core/model/image-objects.ts'
import { Placements } from '../../../src/core/model/image-usage.ts'
import { NodeImages } from '../../../src/core/model/node-images.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { digest, use, webPod } from '../images/pods.ts'

function place(pods: readonly PodSlice[]) {
  const placements = new Placements({})
  for (const pod of pods) placements.add(pod)
  return placements.all
}

const nodes = new NodeImages([
  {
    name: 'n1',
    images: [{ sizeBytes: 70 * 2 ** 20, names: ['docker.io/library/nginx:1.25', `x@${digest(1)}`] }],
  },
])

describe('Image objects', () => {
  const pods = [
    webPod('a', [use('app', 'nginx:1.25', { running: 1 })]),
    webPod('b', [use('app', 'nginx:1.25', { running: 2 })], { nodeName: 'n2' }),
    webPod('c', [use('app', 'docker.io/nginx:1.25')]),
  ]

  it('are one for each spelling, since the spelling is their identity', () => {
    const { kind, items } = imageList(place(pods), nodes, 'shop')
    assert.equal(kind, 'ImageList')
    assert.deepEqual(
      items.map(({ image }) => [image.reference, image.name, image.tag]),
      [
        ['docker.io/nginx:1.25', 'docker.io/library/nginx', '1.25'],
        ['nginx:1.25', 'docker.io/library/nginx', '1.25'],
      ],
    )
    assert.deepEqual(items[1], {
      apiVersion: 'deckwatch.dev/v1alpha1',
      kind: 'Image',
      metadata: { name: items[1]?.metadata.name, namespace: 'shop' },
      image: { reference: 'nginx:1.25', name: 'docker.io/library/nginx', tag: '1.25', digest: '' },
      digests: [digest(1), digest(2)],
      sizeBytes: 70 * 2 ** 20,
      usage: {
        namespaces: 1,
        workloads: 1,
        pods: 2,
        nodes: 2,
        by: [
          {
            group: 'apps',
            kind: 'Deployment',
            name: 'web',
            namespace: 'shop',
            container: 'app',
            type: 'container',
            pods: 2,
          },
        ],
      },
      alsoSpelled: ['docker.io/nginx:1.25'],
      usageTogether: { namespaces: 1, workloads: 1, pods: 3, nodes: 2 },
    })
  })

  it('name no other spelling where there is none in the same scope', () => {
    const { items } = imageList(place(pods.slice(0, 2)), nodes, 'shop')
    assert.deepEqual(Object.keys(items[0] ?? {}), [
      'apiVersion',
      'kind',
      'metadata',
      'image',
      'digests',
      'sizeBytes',
      'usage',
    ])
  })

  it('are the same whatever order the pods came in', () => {
    const many = [
      webPod('a', [use('init', 'web:1', { type: 'init' }), use('app', 'web:1')]),
      webPod('b', [use('app', 'web:1')], { owner: undefined }),
      webPod('c', [use('app', 'web:1'), use('log', 'docker.io/web:1')], { namespace: 'pay' }),
      webPod('d', [use('app', 'nginx')], { nodeName: '' }),
    ]
    const whole = imageList(place(many), nodes, undefined)
    fc.assert(
      fc.property(fc.shuffledSubarray(many, { minLength: many.length }), (shuffled) => {
        assert.deepEqual(imageList(place(shuffled), nodes, undefined), whole)
      }),
    )
  })

  it('are ClusterImages without a namespace over the whole cluster', () => {
    const { kind, items } = imageList(place(pods), nodes, undefined)
    assert.equal(kind, 'ClusterImageList')
    assert.deepEqual(Object.keys(items[0]?.metadata ?? {}), ['name'])
  })
})
