import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { closingLines } from '../../../src/cli/features/images/closing-lines.ts'
import { podsAnswer } from '../../../src/cli/features/images/images-answer.ts'
import { servedAnswer } from '../../../src/cli/features/images/served-answer.ts'
import { parseRegex } from '../../../src/cli/features/images/regex.ts'
import { imageList, usageCounts } from '../../../src/core/model/image-objects.ts'
import { Placements, type ImageMatch } from '../../../src/core/model/image-usage.ts'
import { NodeImages } from '../../../src/core/model/node-images.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { digest, use, webPod } from './pods.ts'

const nodes = new NodeImages([
  { name: 'n1', images: [{ sizeBytes: 70, names: ['docker.io/library/nginx:1.25', `x@${digest(1)}`] }] },
  { name: 'n2', images: [{ sizeBytes: 80, names: ['quay.io/acme/web:2'] }] },
])

function place(pods: readonly PodSlice[], match?: ImageMatch) {
  const placements = new Placements({ match })
  for (const pod of pods) placements.add(pod)
  return placements.all
}

/** Both answers about the same pods; of the companion's objects in another order, since it lists by name. */
function answers(pods: readonly PodSlice[], namespace: string | undefined, match?: ImageMatch) {
  const all = place(pods)
  const { items } = imageList(all, nodes, namespace)
  const summary = { ...usageCounts(all), images: new Set(all.map(({ image }) => image.key)).size }
  const served = { items: items.toReversed(), summary, resourceVersion: '7', warnings: [] }
  const inUse = { pods: pods.length, placements: place(pods, match), nodes, warnings: [] }
  return { asked: podsAnswer(inUse, namespace), served: servedAnswer(served, match, namespace) }
}

const SPELLINGS = [
  'nginx:1.25',
  'docker.io/nginx:1.25',
  'docker.io/library/nginx:1.25',
  'quay.io/acme/web:2',
  `quay.io/acme/web@${digest(1)}`,
  `quay.io/acme/web@${digest(2)}`,
  'busybox',
  'busybox:latest',
  'Not:A:Reference',
]
const TYPES = ['container', 'init', 'sidecar', 'ephemeral', 'volume'] as const

const anyUse = fc
  .record({
    name: fc.constantFrom('app', 'side'),
    image: fc.constantFrom(...SPELLINGS),
    type: fc.constantFrom(...TYPES),
    running: fc.option(fc.nat(4), { nil: undefined }),
  })
  .map(({ name, image, type, running }) =>
    use(name, image, { type, ...(running === undefined ? {} : { running }) }),
  )

const anyPods = fc
  .array(
    fc.record({
      images: fc.array(anyUse, { minLength: 1, maxLength: 3 }),
      namespace: fc.constantFrom('shop', 'pay'),
      nodeName: fc.constantFrom('n1', 'n2', ''),
      templateHash: fc.constantFrom('5b', '', '7f'),
    }),
    { maxLength: 12 },
  )
  .map((pods) => pods.map(({ images, ...over }, i) => webPod(`p${i}`, images, over)))

describe('an answer of the companion', () => {
  it('has the rows, totals and objects that asking pods gives, or says that it cannot', () => {
    let exact = 0
    fc.assert(
      fc.property(anyPods, (pods) => {
        const { asked, served } = answers(pods, undefined)
        if (!served) return
        exact += 1
        assert.deepEqual(served.rows('image'), asked.rows('image'))
        const [closing] = closingLines(asked, asked.rows('image'), 'kubectl images')
        assert.equal(closingLines(served, served.rows('image'), 'kubectl images')[0], closing)
        assert.equal(served.pods, asked.pods)
        assert.equal(served.references(), asked.references())
      }),
      { seed: 4 },
    )
    assert.ok(exact > 20, `${exact} of 100 were exact`)
  })

  it('has them of the images alone that REGEX takes', () => {
    fc.assert(
      fc.property(anyPods, fc.constantFrom('nginx', '^docker', 'busybox$', 'web'), (pods, regex) => {
        const match = { pattern: parseRegex(regex), on: 'image' } as const
        const { asked, served } = answers(pods, undefined, match)
        if (served) assert.deepEqual(served.rows('image'), asked.rows('image'))
      }),
      { seed: 4 },
    )
  })

  it('has the objects as the companion told them, sorted by reference', async () => {
    const { asked, served } = answers(
      [webPod('a', [use('app', 'z:1')]), webPod('b', [use('app', 'a:1')])],
      'shop',
    )
    const { metadata, ...list } = (await served?.images()) ?? {}
    assert.deepEqual(metadata, { resourceVersion: '7' })
    assert.deepEqual(list, await asked.images())
  })

  it('is none where one spelling runs as what may be a digest and another as a bare image id', () => {
    const imported = { ...use('app', 'docker.io/nginx:1.25'), imageID: digest(3) }
    const pods = [webPod('a', [use('app', 'nginx:1.25', { running: 1 })]), webPod('b', [imported])]
    assert.equal(answers(pods, 'shop').served, undefined)
    assert.deepEqual(answers(pods, 'shop').asked.rows('image')[0]?.digests, [digest(1)])
  })

  it('unites the digests of spellings that share one', () => {
    const pods = [
      webPod('a', [use('app', 'nginx:1.25', { running: 1 })]),
      webPod('b', [use('app', 'nginx:1.25', { running: 2 })]),
      webPod('c', [use('app', 'docker.io/nginx:1.25', { running: 2 })]),
    ]
    assert.deepEqual(answers(pods, 'shop').served?.rows('image')[0]?.digests, [digest(1), digest(2)])
  })

  it('is none where REGEX takes one spelling of an image and leaves another', () => {
    const pods = [
      webPod('a', [use('app', 'nginx:1.25')]),
      webPod('b', [use('app', 'docker.io/library/nginx:1.25')]),
    ]
    const match = { pattern: /^nginx/, on: 'image' } as const
    assert.equal(answers(pods, 'shop', match).served, undefined)
  })
})
