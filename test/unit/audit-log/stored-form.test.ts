import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { joinPath, splitPath } from '../../../server/audit-log/store/path-set.ts'
import { RecordCodec } from '../../../server/audit-log/store/record-codec.ts'
import { PURGED, removeFrom, removeValues } from '../../../server/audit-log/store/remove-values.ts'
import { formatPath, parsePath, type PathStep } from '../../../src/core/model/field-path.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const scalar = fc.oneof(text, fc.integer(), fc.boolean())
const step: fc.Arbitrary<PathStep> = fc.oneof(
  fc.record({ key: text }),
  fc.record({ entry: fc.dictionary(fc.string({ minLength: 1 }), scalar, { minKeys: 1, maxKeys: 3 }) }),
  fc.record({ value: scalar }),
  fc.record({ index: fc.nat(99) }),
)

describe('a path', () => {
  it('is put together again from what many share and what is its own', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        const path = formatPath(steps)
        assert.equal(joinPath(splitPath(path)), path)
      }),
    )
  })

  it('is shared by entries of any name', () => {
    assert.deepEqual(splitPath('spec.containers[name=app].env[name="a]b"].value'), {
      template: 'spec.containers[*].env[*].value',
      fills: ['name=app', 'name="a]b"'],
    })
  })
})

describe('records', () => {
  it('are read as they were written, before and after there is a dictionary', () => {
    const codec = new RecordCodec()
    let id = 0
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3), (value, kind) => {
        const long = { value, more: 'x'.repeat(200) }
        for (const one of [value, long])
          assert.deepEqual(codec.decode(codec.encode(one, `kind ${kind}`)), JSON.parse(JSON.stringify(one)))
        for (const made of codec.ready()) codec.use({ id: ++id, ...made })
      }),
      { numRuns: 400 },
    )
    assert.ok(id >= 4, 'dictionaries were made')
  })

  it('have no value of theirs in a dictionary, nor names that people chose for data', () => {
    const codec = new RecordCodec()
    for (let i = 0; i < 50; i++)
      codec.encode(
        {
          spec: { password: `secret-${i} `.repeat(20), replicas: 77_000 + i },
          data: { [`own-key-${i}`]: 'v' },
        },
        'kind',
      )
    const [made] = codec.ready()
    const bytes = Buffer.from(made?.bytes ?? []).toString()
    assert.match(bytes, /"password"/)
    assert.doesNotMatch(bytes, /secret-|77|own-key/)
  })

  it('that nobody wrote are told', () => {
    const codec = new RecordCodec()
    assert.throws(() => codec.decode(Buffer.from([9, 1, 2])), RangeError)
    assert.throws(() => codec.decode(Buffer.from([2, 1, 0, 9])), /needs dictionary 1/)
  })
})

describe('taking values out', () => {
  const env = { name: 'PASSWORD', value: 's3cret' }
  const whole = {
    spec: { containers: [{ name: 'app', env: [env, { name: 'B', value: 'b' }] }], sets: ['x', 'y'] },
  }

  it('finds them in whole objects, in parts of them, and below', () => {
    const steps = parsePath('spec.containers[name=app].env[name=PASSWORD].value')
    const purged = { name: 'PASSWORD', value: PURGED }
    const cases = [
      [{ path: '', op: 'add', to: whole }, { to: removeFrom(whole, steps) }],
      [{ path: 'spec.containers[name=app].env[name=PASSWORD]', op: 'remove', from: env }, { from: purged }],
      [
        { path: 'spec.containers[name=app].env[name=PASSWORD].value', op: 'replace', from: 'a', to: 'b' },
        { from: PURGED, to: PURGED },
      ],
      [
        { path: 'spec.containers[name=app].env[name=PASSWORD].value.deeper', op: 'add', to: 'b' },
        { to: PURGED },
      ],
    ] as const
    for (const [change, left] of cases) {
      const { path, op } = change
      assert.deepEqual(removeValues(change, steps), { path, op, ...left })
      assert.doesNotMatch(JSON.stringify(removeValues(change, steps)), /s3cret/)
    }
    const lines = [{ line: 1, from: ['a'], to: ['b'] }]
    assert.deepEqual(removeValues({ path: 'data["f"]', op: 'replace', lines }, parsePath('data.f')), {
      path: 'data["f"]',
      op: 'replace',
      from: PURGED,
      to: PURGED,
    })
  })

  it('leaves everything else, and says so by giving the same back', () => {
    const change = { path: '', op: 'add' as const, to: whole }
    for (const path of [
      'spec.containers[name=b].env',
      'spec.replicas',
      'data.x',
      'spec.sets[="z"]',
      'spec.sets[7]',
    ])
      assert.equal(removeValues(change, parsePath(path)), change)
    assert.deepEqual(removeFrom(whole.spec.sets, parsePath('[="y"]')), ['x', PURGED])
    assert.deepEqual(removeFrom(whole.spec.sets, parsePath('[0]')), [PURGED, 'y'])
  })
})
