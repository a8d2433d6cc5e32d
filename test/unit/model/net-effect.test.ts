import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { ImageGraph, type ImageTransition } from '../../../src/core/model/image-graph.ts'
import { netEffect } from '../../../src/core/model/net-effect.ts'
import { use, webPod } from '../images/pods.ts'

function transitions(...ops: readonly string[]): ImageTransition[] {
  return ops.map((text) => {
    const [, op, image = ''] = /^([+-]=?)(.*)$/.exec(text) ?? []
    return { op: op as ImageTransition['op'], image, pod: webPod(text, []) }
  })
}

const settled = (...ops: readonly string[]) =>
  netEffect(transitions(...ops)).map(({ op, image }) => `${op}${image}`)

describe('the net effect', () => {
  it('is a change of users where an image went and came again', () => {
    assert.deepEqual(settled('-a', '+b', '+a'), ['-=a', '+b', '+=a'])
  })

  it('is a change of users where an image came and went again, as when two pods trade their images', () => {
    assert.deepEqual(settled('+b', '-a', '+a', '-b'), ['+=b', '-=a', '+=a', '-=b'])
  })

  it('keeps what really went and what really came', () => {
    assert.deepEqual(settled('-a', '+=c', '+b'), ['-a', '+=c', '+b'])
    assert.deepEqual(settled('-a', '+a', '-a'), ['-=a', '+=a', '-a'])
  })

  it('of the difference of two lists says of each image once what differs between them', () => {
    const pods = fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('p', 'q', 'r', 's'),
        image: fc.constantFrom('a', 'b', 'c'),
      }),
      { selector: ({ name, image }) => `${name}/${image}` },
    )
    fc.assert(
      fc.property(pods, pods, (before, after) => {
        const pod = ({ name, image }: { name: string; image: string }) =>
          webPod(`${name}-${image}`, [use('app', image)])
        const graph = new ImageGraph()
        for (const each of before) graph.put(pod(each))
        const was = graph.images
        const told = [
          ...before
            .filter((each) => !after.some((other) => pod(other).uid === pod(each).uid))
            .flatMap((each) => graph.remove(pod(each))),
          ...after.flatMap((each) => graph.put(pod(each))),
        ]
        const net = netEffect(told)
        const came = net.filter(({ op }) => op === '+').map(({ image }) => image)
        const went = net.filter(({ op }) => op === '-').map(({ image }) => image)
        assert.deepEqual(came.toSorted(), [...graph.images].filter((image) => !was.has(image)).toSorted())
        assert.deepEqual(went.toSorted(), [...was].filter((image) => !graph.images.has(image)).toSorted())
      }),
    )
  })
})
