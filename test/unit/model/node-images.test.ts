import assert from 'node:assert/strict'
import { parseImageID, parseImageReference } from '../../../src/core/model/image-reference.ts'
import { NodeImages } from '../../../src/core/model/node-images.ts'

const digest = (sign: string): string => `sha256:${sign.repeat(64)}`
const node = (name: string, ...images: [sizeBytes: number, ...names: string[]][]) => ({
  name,
  images: images.map(([sizeBytes, ...names]) => ({ sizeBytes, names })),
})
const size = (nodes: NodeImages, on: string, image: string, imageID = ''): number | undefined =>
  nodes.size(on, parseImageReference(image), parseImageID(imageID))

describe('image sizes from nodes', () => {
  it('finds an image by every spelling of its name (kubectl-images leaves bitn/redis:7 blank)', () => {
    const nodes = new NodeImages([
      node('n1', [70, 'docker.io/bitn/redis:7', `docker.io/bitn/redis@${digest('a')}`]),
    ])
    assert.equal(size(nodes, 'n1', 'bitn/redis:7'), 70)
    assert.equal(size(nodes, 'n1', 'docker.io/bitn/redis:7'), 70)
  })

  it('finds an image with more than two names (blank in kubectl-images)', () => {
    const names = [
      'docker.io/a/one:1',
      'docker.io/b/two:2',
      'docker.io/c/three:3',
      `docker.io/a/one@${digest('a')}`,
    ]
    const nodes = new NodeImages([node('n1', [5, ...names])])
    for (const name of ['a/one:1', 'b/two:2', 'c/three:3']) assert.equal(size(nodes, 'n1', name), 5)
  })

  it('never takes the size of an image that only shares its last path element (wrong in kubectl-images)', () => {
    const nodes = new NodeImages([node('n1', [900, 'reg.example/a/web:2.1'])])
    assert.equal(size(nodes, 'n1', 'web:2.1'), undefined)
    assert.equal(size(nodes, 'n1', 'reg.example/b/web:2.1'), undefined)
  })

  it('prefers the digest that runs to a tag that has moved', () => {
    const nodes = new NodeImages([
      node(
        'n1',
        [10, `docker.io/library/app@${digest('a')}`],
        [20, 'docker.io/library/app:1', `docker.io/library/app@${digest('b')}`],
      ),
    ])
    assert.equal(size(nodes, 'n1', 'app:1', `docker.io/library/app@${digest('a')}`), 10)
    assert.equal(size(nodes, 'n1', 'app:1', `docker.io/library/app@${digest('b')}`), 20)
    assert.equal(size(nodes, 'n1', 'app:1', `docker.io/library/app@${digest('c')}`), undefined)
    assert.equal(size(nodes, 'n1', 'app:1'), 20)
  })

  it('takes another node by digest, as long as all that report it agree', () => {
    const image: [number, string] = [10, `docker.io/library/app@${digest('a')}`]
    const nodes = new NodeImages([node('n1', image), node('n2', image), node('empty')])
    assert.equal(size(nodes, 'empty', 'app:1', `docker.io/library/app@${digest('a')}`), 10)
  })

  it('takes the node where the pod runs first, never another platform', () => {
    const nodes = new NodeImages([
      node('amd64', [10, 'docker.io/library/app:1', `docker.io/library/app@${digest('a')}`]),
      node('arm64', [12, 'docker.io/library/app:1', `docker.io/library/app@${digest('a')}`]),
      node('empty'),
    ])
    const id = `docker.io/library/app@${digest('a')}`
    assert.equal(size(nodes, 'amd64', 'app:1', id), 10)
    assert.equal(size(nodes, 'arm64', 'app:1', id), 12)
    assert.equal(size(nodes, 'empty', 'app:1', id), undefined, 'its platform is not known, and sizes differ')
    assert.equal(size(nodes, 'empty', 'app:1'), undefined)
    assert.equal(size(nodes, 'no-such-node', 'app:1'), undefined)
  })

  it('matches a locally imported image, whose status has only a bare id, by its tag', () => {
    const nodes = new NodeImages([
      node('n1', [30, 'docker.io/library/app:1', `docker.io/library/app@${digest('a')}`]),
    ])
    assert.equal(size(nodes, 'n1', 'app:1', digest('f')), 30)
  })

  it('knows when a node reports as many images as it may', () => {
    const many = Array.from({ length: 50 }, (_, i): [number, string] => [i, `docker.io/library/i${i}:1`])
    const more: [number, string] = [1, 'docker.io/library/a:1']
    const nodes = new NodeImages([
      node('full', ...many),
      node('small', more),
      node('uncapped', ...many, more),
    ])
    assert.equal(nodes.isCapped('full'), true)
    assert.equal(nodes.isCapped('small'), false)
    assert.equal(nodes.isCapped('uncapped'), false, 'nodeStatusMaxImages is set higher there')
    assert.equal(nodes.isCapped('gone'), false)
  })
})
