import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { imageObjectName } from '../../../src/core/model/image-object-name.ts'
import { parseImageID, parseImageReference, shortDigest } from '../../../src/core/model/image-reference.ts'

const DIGEST = `sha256:${'4c'.repeat(32)}`

describe('image references', () => {
  const cases: [reference: string, name: string, tag: string, digest: string, registry: string][] = [
    ['perl', 'docker.io/library/perl', 'latest', '', 'docker.io'],
    ['nginx:1.25', 'docker.io/library/nginx', '1.25', '', 'docker.io'],
    ['docker.io/nginx:1.25', 'docker.io/library/nginx', '1.25', '', 'docker.io'],
    ['index.docker.io/library/nginx:1.25', 'docker.io/library/nginx', '1.25', '', 'docker.io'],
    ['bitnami/redis:7', 'docker.io/bitnami/redis', '7', '', 'docker.io'],
    ['localhost/app:1', 'localhost/app', '1', '', 'localhost'],
    ['localhost:5000/app', 'localhost:5000/app', 'latest', '', 'localhost:5000'],
    ['registry:5000/team/app:v1', 'registry:5000/team/app', 'v1', '', 'registry:5000'],
    [`nginx@${DIGEST}`, 'docker.io/library/nginx', '', DIGEST, 'docker.io'],
    [`nginx:1.25@${DIGEST}`, 'docker.io/library/nginx', '1.25', DIGEST, 'docker.io'],
    // One character is a repository name; the existence exporter calls it a bad format although its pod runs.
    ['reg.example:1/a:x', 'reg.example:1/a', 'x', '', 'reg.example:1'],
    ['mydocker.io.corp/a/b:1', 'mydocker.io.corp/a/b', '1', '', 'mydocker.io.corp'],
    ['[2001:db8::1]:5000/app:1', '[2001:db8::1]:5000/app', '1', '', '[2001:db8::1]:5000'],
    // An upper-case first part is a registry, as in the reference grammar's splitDockerDomain.
    ['UPPER/case:1', 'UPPER/case', '1', '', 'UPPER'],
    ['a__b/c-d.e:_x', 'docker.io/a__b/c-d.e', '_x', '', 'docker.io'],
  ]
  for (const [reference, name, tag, digest, registry] of cases) {
    it(`reads ${reference}`, () => {
      const parsed = parseImageReference(reference)
      assert.deepEqual(
        { ...parsed, key: undefined },
        { reference, name, tag, digest, registry, key: undefined },
      )
    })
  }

  for (const reference of [
    '',
    ':',
    'docker.io/UPPER/case',
    'Nginx',
    'a//b',
    'nginx:',
    'nginx:-x',
    'nginx@sha256:abc',
    'a b',
    '/a',
    'a/',
    '\u001b[31m',
  ]) {
    it(`keeps the text of what is no reference: ${JSON.stringify(reference)}`, () => {
      const parsed = parseImageReference(reference)
      assert.equal(parsed.registry, '')
      assert.equal(parsed.name, reference)
      assert.equal(parsed.tag, '')
    })
  }

  it('gives every spelling of one image the same key, and other images other keys', () => {
    const keys = [
      'nginx:1.25',
      'docker.io/nginx:1.25',
      'docker.io/library/nginx:1.25',
      'index.docker.io/nginx:1.25',
    ].map((reference) => parseImageReference(reference).key)
    assert.equal(new Set(keys).size, 1)
    assert.notEqual(parseImageReference('nginx').key, keys[0])
    assert.notEqual(parseImageReference(`nginx:1.25@${DIGEST}`).key, keys[0])
    assert.notEqual(parseImageReference('quay.io/library/nginx:1.25').key, keys[0])
  })

  it('is stable: the normal form of a normal form is itself', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    const reference = fc
      .tuple(
        fc.constantFrom('', 'docker.io/', 'quay.io/', 'localhost:5000/'),
        fc.array(part, { minLength: 1, maxLength: 3 }),
        fc.option(part),
      )
      .map(([registry, path, tag]) => `${registry}${path.join('/')}${tag ? `:${tag}` : ''}`)
    fc.assert(
      fc.property(reference, (text) => {
        const once = parseImageReference(text)
        const twice = parseImageReference(`${once.name}:${once.tag}`)
        assert.notEqual(once.registry, '')
        assert.deepEqual([twice.name, twice.tag, twice.key], [once.name, once.tag, once.key])
      }),
    )
  })

  it('takes any string without failing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => parseImageReference(text).reference === text),
    )
  })
})

describe('image ids of container statuses', () => {
  it('tells manifest digests from bare image ids', () => {
    assert.deepEqual(parseImageID(`docker.io/library/nginx@${DIGEST}`), { digest: DIGEST, manifest: true })
    assert.deepEqual(parseImageID(`docker-pullable://nginx@${DIGEST}`), { digest: DIGEST, manifest: true })
    assert.deepEqual(parseImageID(DIGEST), { digest: DIGEST, manifest: false })
    assert.deepEqual(parseImageID(`docker://${DIGEST}`), { digest: DIGEST, manifest: false })
  })

  it('knows nothing before the image was pulled', () => {
    assert.equal(parseImageID(''), undefined)
    assert.equal(parseImageID('nginx:1.25'), undefined)
  })

  it('shortens digests to the 12 characters people compare', () => {
    assert.equal(shortDigest(DIGEST), '4c4c4c4c4c4c')
  })
})

describe('names of image objects', () => {
  it('are DNS subdomains, whatever the reference', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (reference) => {
        const name = imageObjectName(reference)
        assert.match(name, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
        assert.ok(name.length <= 253)
      }),
    )
  })

  it('differ where only signs differ', () => {
    assert.notEqual(imageObjectName('a/b:1'), imageObjectName('a-b:1'))
    assert.match(imageObjectName('nginx:1.25'), /^nginx-1-25-[0-9a-f]{10}$/)
  })
})
