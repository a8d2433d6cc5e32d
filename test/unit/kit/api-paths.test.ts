import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import { pathSegments, resourcePath, splitTarget } from '../../../server/kit/api/request-path.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'

/** What a path names, or the reason for which it is refused. */
function read(path: string): ReturnType<typeof resourcePath> | string {
  try {
    return resourcePath(pathSegments(path))
  } catch (error) {
    if (error instanceof ApiError) return error.reason
    throw error
  }
}

describe('the path of a request', () => {
  it('is cut at the first question mark and not touched otherwise', () => {
    assert.deepEqual(splitTarget('/a/../b?c=d?e=%2f'), { path: '/a/../b', query: 'c=d?e=%2f' })
    assert.deepEqual(splitTarget('/a'), { path: '/a', query: '' })
  })

  it('names a collection or an object', () => {
    assert.deepEqual(read(`${ROOT}/images`), { plural: 'images', namespace: undefined, name: undefined })
    assert.deepEqual(read(`${ROOT}/clusterimages/a`), {
      plural: 'clusterimages',
      namespace: undefined,
      name: 'a',
    })
    assert.deepEqual(read(`${ROOT}/namespaces/shop/images`), {
      plural: 'images',
      namespace: 'shop',
      name: undefined,
    })
    assert.deepEqual(read(`${ROOT}/namespaces/shop/images/deployment.web`), {
      plural: 'images',
      namespace: 'shop',
      name: 'deployment.web',
    })
  })

  it('decodes each segment once', () => {
    assert.deepEqual(read(`${ROOT}/namespaces/shop/images/a%3Ab%20c`), {
      plural: 'images',
      namespace: 'shop',
      name: 'a:b c',
    })
    // What would be a second decoding is refused: the name holds a percent sign.
    assert.equal(read(`${ROOT}/namespaces/shop/images/%252e%252e`), 'BadRequest')
  })

  for (const path of [
    `${ROOT}/namespaces/shop/images/../../../c-y/images/secret`,
    `${ROOT}/namespaces/shop/images/%2e%2e/secret`,
    `${ROOT}/namespaces/./images`,
    `${ROOT}//images`,
    `${ROOT}/images/`,
    `${ROOT}/namespaces/shop%2fimages/x`,
    `${ROOT}/namespaces/shop/images/a%2Fb`,
    `${ROOT}/namespaces/shop/images/a%5cb`,
    `${ROOT}/namespaces/shop/images/%00`,
    `${ROOT}/namespaces/shop/images/%ff`,
    `${ROOT}/namespaces/shop/images/%`,
    `${ROOT}/namespaces/Shop/images`,
    `${ROOT}/namespaces/${'a'.repeat(64)}/images`,
    '',
    '/',
    '*',
    'http://elsewhere/apis',
  ]) {
    it(`is refused where it could be read otherwise: ${path.replace(ROOT, '…')}`, () => {
      assert.equal(read(path), 'BadRequest')
    })
  }

  it('names nothing outside of the group, and no subresource', () => {
    for (const path of ['/apis', '/metrics', '/apis/apps/v1/deployments', ROOT, `${ROOT}/images/a/b`]) {
      assert.equal(read(path), undefined, path)
    }
    assert.equal(read(`${ROOT}/namespaces/shop/images/a/log`), undefined)
    assert.equal(read(`${ROOT}/namespaces/shop`), undefined)
  })

  it('never names another object than the one that is spelled, whatever is put into it', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '',
        '%2e%2e',
        '%2f',
        '%5c',
        '%ff',
        '%00',
        '%25',
        '%2',
        ';',
        '\\',
        'images',
        'shop',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = `${ROOT}/namespaces/shop/images/${pieces.join('/')}`
        const found = read(path)
        if (found === undefined || typeof found === 'string') return
        // Only one more segment may be there, and decoding it gives the name.
        assert.equal(found.namespace, 'shop')
        assert.equal(found.plural, 'images')
        assert.equal(path.split('/').length, 8)
        assert.equal(found.name, decodeURIComponent(path.split('/')[7] ?? ''))
        assert.doesNotMatch(found.name ?? '', /[/\\\0]|^\.{0,2}$/)
      }),
      { numRuns: 5000 },
    )
  })
})
