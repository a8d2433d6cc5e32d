import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { ImageGraph, type ImageTransition } from '../../../src/core/model/image-graph.ts'
import type { ContainerType, PodImage, PodSlice } from '../../../src/core/wire/pod.ts'

function pod(
  uid: string,
  images: Record<string, string>,
  over: Partial<PodSlice> & { type?: ContainerType } = {},
): PodSlice {
  const { type = 'container', ...rest } = over
  const list: PodImage[] = Object.entries(images).map(([name, image]) => ({
    type,
    name,
    image,
    pullPolicy: '',
    imageID: '',
  }))
  const base = {
    namespace: 'shop',
    name: uid,
    resourceVersion: '1',
    nodeName: '',
    phase: 'Running',
    templateHash: '',
  }
  return { ...base, uid, owner: undefined, images: list, ...rest }
}

function ops(transitions: readonly ImageTransition[]): string[] {
  return transitions.map(({ op, image }) => `${op}${image}`)
}

describe('the image graph', () => {
  it('announces an image with its first user only, and its end with its last', () => {
    const graph = new ImageGraph()
    const [a, b] = [pod('a', { app: 'nginx' }), pod('b', { app: 'nginx' })]
    assert.deepEqual(ops(graph.put(a)), ['+nginx'])
    assert.deepEqual(ops(graph.put(b)), ['+=nginx'])
    assert.deepEqual(ops(graph.remove(b)), ['-=nginx'])
    assert.deepEqual(ops(graph.remove(a)), ['-nginx'])
    assert.equal(graph.images.size, 0)
  })

  it('names the pod that made the difference', () => {
    const graph = new ImageGraph()
    const [first, last] = [pod('a', { app: 'nginx' }), pod('b', { app: 'nginx' })]
    assert.equal(graph.put(first)[0]?.pod.name, 'a')
    graph.put(last)
    graph.remove(first)
    assert.equal(graph.remove(last)[0]?.pod.name, 'b')
  })

  it('counts each container of a pod as a user', () => {
    const graph = new ImageGraph()
    assert.deepEqual(ops(graph.put(pod('a', { app: 'nginx', proxy: 'nginx' }))), ['+nginx', '+=nginx'])
    assert.deepEqual(ops(graph.put(pod('a', { app: 'nginx' }))), ['-=nginx'])
    assert.deepEqual([...graph.images], ['nginx'])
  })

  it('sees the changed image of a living pod, the new one first', () => {
    const graph = new ImageGraph()
    graph.put(pod('a', { app: 'nginx:1' }))
    assert.deepEqual(ops(graph.put(pod('a', { app: 'nginx:2' }))), ['+nginx:2', '-nginx:1'])
  })

  it('never drops an image that moves between two containers', () => {
    const graph = new ImageGraph()
    graph.put(pod('a', { one: 'x', two: 'y' }))
    assert.deepEqual(
      ops(graph.put(pod('a', { one: 'y', two: 'x' }))).filter((op) => op === '-x' || op === '-y'),
      [],
    )
    assert.deepEqual([...graph.images].toSorted(), ['x', 'y'])
  })

  it('sees an ephemeral container that was added', () => {
    const graph = new ImageGraph()
    const before = pod('a', { app: 'nginx' })
    graph.put(before)
    const debug: PodImage = {
      type: 'ephemeral',
      name: 'debug',
      image: 'busybox',
      pullPolicy: '',
      imageID: '',
    }
    assert.deepEqual(ops(graph.put({ ...before, images: [...before.images, debug] })), ['+busybox'])
  })

  it('keeps pods of one name apart by their uid (a StatefulSet that returns gets its + again)', () => {
    const graph = new ImageGraph()
    const [old, fresh] = [
      pod('uid-1', { app: 'db' }, { name: 'web-0' }),
      pod('uid-2', { app: 'db' }, { name: 'web-0' }),
    ]
    graph.put(old)
    assert.deepEqual(ops(graph.remove(old)), ['-db'])
    assert.deepEqual(ops(graph.put(fresh)), ['+db'])
    assert.deepEqual(ops(graph.remove(old)), [])
    assert.deepEqual([...graph.images], ['db'])
  })

  it('lets finished pods hold their images, unless only running ones count', () => {
    const finished = pod('a', { app: 'job' }, { phase: 'Succeeded' })
    const referencing = new ImageGraph()
    referencing.put(pod('a', { app: 'job' }))
    assert.deepEqual(ops(referencing.put(finished)), [])
    const running = new ImageGraph({ runningOnly: true })
    running.put(pod('a', { app: 'job' }))
    assert.deepEqual(ops(running.put(finished)), ['-job'])
    assert.deepEqual(ops(running.remove(finished)), [])
  })

  it('adds up: over any history, the sum of + and - is what is in use', () => {
    const image = fc.constantFrom('a', 'b', 'c')
    const step = fc.record({
      uid: fc.constantFrom('1', '2', '3', '4'),
      phase: fc.constantFrom('Running', 'Succeeded'),
      images: fc.option(fc.dictionary(fc.constantFrom('x', 'y', 'z'), image), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, runningOnly) => {
        const graph = new ImageGraph({ runningOnly })
        const announced = new Map<string, number>()
        const users = new Map<string, number>()
        const living = new Map<string, PodSlice>()
        for (const { uid, phase, images } of steps) {
          const next = pod(uid, images ?? {}, { phase })
          const transitions = images ? graph.put(next) : graph.remove(next)
          if (images) living.set(uid, next)
          else living.delete(uid)
          for (const { op, image: name } of transitions) {
            const sign = op.startsWith('+') ? 1 : -1
            users.set(name, (users.get(name) ?? 0) + sign)
            if (op.length === 1) announced.set(name, (announced.get(name) ?? 0) + sign)
            assert.ok([0, 1].includes(announced.get(name) ?? 0), `${name} announced twice`)
          }
        }
        const counting = [...living.values()].filter(({ phase }) => !runningOnly || phase === 'Running')
        const inUse = new Set(counting.flatMap(({ images }) => images.map((use) => use.image)))
        assert.deepEqual(graph.images, inUse)
        assert.deepEqual(new Set([...announced].filter(([, sum]) => sum === 1).map(([name]) => name)), inUse)
        for (const name of ['a', 'b', 'c']) {
          const edges = counting.flatMap(({ images }) => images).filter((use) => use.image === name).length
          assert.equal(users.get(name) ?? 0, edges)
        }
      }),
    )
  })
})
