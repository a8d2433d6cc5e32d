import assert from 'node:assert/strict'
import { DEFAULT_VALUES, ValuesError } from '../../../server/deploy/index.ts'
import { mergeValues } from '../../../src/cli/features/deckwatch/merge-values.ts'

describe('the values of a file', () => {
  it('win over the defaults, key by key', () => {
    const file = {
      storage: { size: '8Gi', type: 'pvc' },
      metrics: { from: ['monitoring'] },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ operator: 'Exists' }],
    }
    const { values, given } = mergeValues(DEFAULT_VALUES, file)
    assert.deepEqual(values, {
      ...DEFAULT_VALUES,
      storage: { ...DEFAULT_VALUES.storage, size: '8Gi' },
      metrics: { auth: false, from: ['monitoring'] },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ operator: 'Exists' }],
    })
    assert.ok(given.has('storage.type'))
    assert.ok(!given.has('storage.storageClass'))
  })

  it('are the defaults where the file is empty, or says null', () => {
    for (const file of [undefined, null, {}, { image: null, storage: { size: null } }]) {
      assert.deepEqual(mergeValues(DEFAULT_VALUES, file).values, DEFAULT_VALUES)
    }
  })

  it('may be all components', () => {
    for (const components of ['all', ['all']]) {
      assert.deepEqual(mergeValues(DEFAULT_VALUES, { components }).values.components, [
        'image-graph',
        'audit-log',
      ])
    }
  })

  for (const [what, file, key] of [
    ['a key that there is not', { storage: { speed: 1 } }, 'storage.speed'],
    ['text in place of keys', 'replicas: 2', 'values'],
    ['a list in place of keys', { storage: ['pvc'] }, 'storage'],
    ['text in place of a number', { apiReplicas: '2' }, 'apiReplicas'],
    ['a component that there is not', { components: ['pods'] }, 'components'],
    ['a number in place of components', { components: 3 }, 'components'],
  ] as const) {
    it(`cannot be ${what}`, () => {
      assert.throws(
        () => mergeValues(DEFAULT_VALUES, file),
        (error) => error instanceof ValuesError && error.key === key,
      )
    })
  }
})
