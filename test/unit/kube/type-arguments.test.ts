import assert from 'node:assert/strict'
import type { ApiResource } from '../../../src/core/kube/api-resource.ts'
import { builtinResources } from '../../../src/core/kube/api-resources-builtin.ts'
import { findApiResource, parseTypeArguments, similarTypes } from '../../../src/core/kube/type-arguments.ts'

const type = (
  group: string,
  version: string,
  kind: string,
  shortNames: readonly string[] = [],
): ApiResource => ({
  group,
  version,
  resource: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  kind,
  namespaced: true,
  shortNames,
})

describe('the words of a command line', () => {
  for (const [words, expected] of [
    [[], []],
    [['deploy'], [{ type: 'deploy', names: [] }]],
    [['deploy', 'web', 'api', 'web'], [{ type: 'deploy', names: ['web', 'api'] }]],
    [
      ['deploy,sts', 'web'],
      [
        { type: 'deploy', names: ['web'] },
        { type: 'sts', names: ['web'] },
      ],
    ],
    [
      ['deploy/web', 'cm/a', 'deploy/api', 'cm/a'],
      [
        { type: 'deploy', names: ['web', 'api'] },
        { type: 'cm', names: ['a'] },
      ],
    ],
    [['widgets.v1.example.com/a.b'], [{ type: 'widgets.v1.example.com', names: ['a.b'] }]],
  ] as const) {
    it(`${JSON.stringify(words)} name types and objects`, () => {
      assert.deepEqual(parseTypeArguments(words), expected)
    })
  }

  for (const words of [
    ['deploy/web', 'api'],
    ['deploy', 'cm/a'],
    ['deploy/'],
    ['/web'],
    ['deploy/web/app'],
    ['deploy,sts/web'],
    [','],
    [''],
    ['deploy', ''],
  ]) {
    it(`${JSON.stringify(words)} are refused`, () => {
      assert.throws(() => parseTypeArguments(words), { code: 'USAGE' })
    })
  }
})

describe('a type is found', () => {
  const builtin = builtinResources()
  for (const [text, found] of [
    ['deployments', 'apps/v1 deployments'],
    ['deployment', 'apps/v1 deployments'],
    ['Deployment', 'apps/v1 deployments'],
    ['deploy', 'apps/v1 deployments'],
    ['deployments.apps', 'apps/v1 deployments'],
    ['deploy.v1.apps', 'apps/v1 deployments'],
    ['hpa', 'autoscaling/v2 horizontalpodautoscalers'],
    ['storageclass.storage', 'storage.k8s.io/v1 storageclasses'],
    ['events', '/v1 events'],
    ['ep', '/v1 endpoints'],
    ['pods.v1.', '/v1 pods'],
    ['crds', 'apiextensions.k8s.io/v1 customresourcedefinitions'],
    ['deployments.v1beta1.apps', undefined],
    ['deployments.batch', undefined],
    ['toString', undefined],
    ['', undefined],
  ] as const) {
    it(`${JSON.stringify(text)} is ${found ?? 'none of Kubernetes’ own'}`, () => {
      const resource = findApiResource(builtin, text)
      assert.equal(resource && `${resource.group}/${resource.version} ${resource.resource}`, found)
    })
  }

  it('in the first group of discovery, and in another one by its name', () => {
    const types = [type('b.example', 'v1', 'Widget'), type('a.example', 'v1', 'Widget')]
    assert.equal(findApiResource(types, 'widget')?.group, 'b.example')
    assert.equal(findApiResource(types, 'widgets.a.example')?.group, 'a.example')
    assert.equal(findApiResource(types, 'widgets.a')?.group, 'a.example')
  })

  it('in the preferred version, and in another one by its name', () => {
    const types = ['v2', 'v1', 'v1beta1'].map((version) => type('example.com', version, 'Widget'))
    assert.equal(findApiResource(types, 'widgets.example.com')?.version, 'v2')
    assert.equal(findApiResource(types, 'widgets.v1beta1.example.com')?.version, 'v1beta1')
    assert.equal(findApiResource(types, 'widgets.v9.example.com'), undefined)
  })

  it('by its full name before another’s short name', () => {
    const types = [type('a.example', 'v1', 'Thing', ['gear']), type('b.example', 'v1', 'Gear')]
    assert.equal(findApiResource(types, 'gear')?.group, 'b.example')
  })

  it('near what was mistyped', () => {
    assert.deepEqual(similarTypes(builtin, 'deploiment'), ['deployments'])
    assert.deepEqual(similarTypes(builtin, 'confgimap'), ['configmaps'])
    assert.deepEqual(similarTypes(builtin, 'pdo'), ['pods', 'poddisruptionbudgets'])
    assert.deepEqual(similarTypes(builtin, 'dep')[0], 'deployments')
    assert.deepEqual(similarTypes(builtin, 'zzzzzz'), [])
  })
})
