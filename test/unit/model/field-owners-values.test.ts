import assert from 'node:assert/strict'
import { ownedValues } from '../../../src/core/model/field-owners-values.ts'

const OBJECT = {
  metadata: { labels: { 'a.b/c': 'x', app: 'web' }, finalizers: ['keep'] },
  spec: {
    replicas: 3,
    paused: null,
    volumes: [],
    containers: [
      { name: 'app', image: 'nginx', args: ['a', 'b'], ports: [{ containerPort: 80, protocol: 'TCP' }] },
    ],
  },
}

const told = (fields: unknown, object: unknown = OBJECT): unknown[] =>
  ownedValues(fields, object).map(({ path, value }) => [path, value])

describe('Values of the fields that an entry of managedFields names', () => {
  it('are the innermost ones, with their paths', () => {
    assert.deepEqual(
      told({
        'f:metadata': { 'f:labels': { '.': {}, 'f:a.b/c': {} }, 'f:finalizers': { 'v:"keep"': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:paused': {},
          'f:containers': {
            'k:{"name":"app"}': {
              '.': {},
              'f:name': {},
              'f:image': {},
              'f:args': {},
              'f:ports': {
                '.': {},
                'k:{"containerPort":80,"protocol":"TCP"}': {
                  '.': {},
                  'f:containerPort': {},
                  'f:protocol': {},
                },
              },
            },
          },
        },
      }),
      [
        ['metadata.labels["a.b/c"]', 'x'],
        ['metadata.finalizers[="keep"]', 'keep'],
        ['spec.replicas', 3],
        ['spec.paused', null],
        ['spec.containers[name=app].image', 'nginx'],
        ['spec.containers[name=app].args', ['a', 'b']],
        [
          'spec.containers[name=app].ports[containerPort=80,protocol=TCP]',
          { containerPort: 80, protocol: 'TCP' },
        ],
      ],
    )
  })

  it('leave out what the object does not have', () => {
    assert.deepEqual(
      told({
        'f:spec': {
          'f:gone': {},
          'f:constructor': {},
          'f:replicas': { 'f:deeper': {}, 'i:0': {}, 'v:1': {}, 'k:{"name":"x"}': {} },
          'f:containers': { 'k:{"name":"other"}': { 'f:image': {} }, 'i:3': {} },
        },
        'f:metadata': { 'f:finalizers': { 'v:"gone"': {} } },
      }),
      [],
    )
  })

  it('do not claim a field of which only elements that nobody knows are owned', () => {
    assert.deepEqual(told({ 'f:spec': { 'f:volumes': { 'z:new': {} }, 'f:replicas': {} } }), [
      ['spec.replicas', 3],
    ])
  })

  it('are none of fields that are null, empty or no map', () => {
    for (const fields of [null, undefined, {}, 'f:spec', []]) assert.deepEqual(told(fields), [])
  })
})
