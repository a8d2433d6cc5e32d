import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  formatPath,
  matchesChange,
  matchesPath,
  parsePath,
  shortPath,
  type PathStep,
} from '../../../src/core/model/field-path.ts'
import type { FieldChange } from '../../../src/core/wire/change.ts'

const scalar = fc.oneof(
  fc.constantFrom('app', '80', 'true', 'a,b', 'x]', '1e5', '', '=', '*', '10.0.0.1', '/var/run', 'null'),
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
  fc.boolean(),
)
const key = fc.oneof(
  fc.constantFrom('spec', 'a.b/c', '', '0', '__proto__', '"', '\\', '*', '[x]'),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const step: fc.Arbitrary<PathStep> = fc.oneof(
  fc.record({ key }, { noNullPrototype: true }),
  fc.record({ value: scalar }, { noNullPrototype: true }),
  fc.record({ index: fc.nat() }, { noNullPrototype: true }),
  fc
    .uniqueArray(fc.tuple(key, scalar), { minLength: 1, maxLength: 3, selector: ([name]) => name })
    .map((entries) => ({ entry: Object.fromEntries(entries) as Record<string, string | number | boolean> })),
)

describe('the path of a field', () => {
  it('reads as it was written', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), (steps) => {
        assert.deepEqual(parsePath(formatPath(steps)), steps)
      }),
      { numRuns: 3000 },
    )
  })

  const written: readonly (readonly [string, readonly PathStep[]])[] = [
    ['', []],
    ['spec.replicas', [{ key: 'spec' }, { key: 'replicas' }]],
    [
      'spec.template.spec.containers[name=app].image',
      [
        { key: 'spec' },
        { key: 'template' },
        { key: 'spec' },
        { key: 'containers' },
        { entry: { name: 'app' } },
        { key: 'image' },
      ],
    ],
    [
      'metadata.labels["app.kubernetes.io/name"]',
      [{ key: 'metadata' }, { key: 'labels' }, { key: 'app.kubernetes.io/name' }],
    ],
    [
      'ports[containerPort=80,protocol=TCP]',
      [{ key: 'ports' }, { entry: { containerPort: 80, protocol: 'TCP' } }],
    ],
    ['ports[name="80"]', [{ key: 'ports' }, { entry: { name: '80' } }]],
    ['finalizers[="x"]', [{ key: 'finalizers' }, { value: 'x' }]],
    ['rules[3].verbs', [{ key: 'rules' }, { index: 3 }, { key: 'verbs' }]],
    ['["a.b"].c', [{ key: 'a.b' }, { key: 'c' }]],
  ]
  for (const [text, steps] of written) {
    it(`is written ${text === '' ? 'as nothing where it is the object' : text}`, () => {
      assert.equal(formatPath(steps), text)
      assert.deepEqual(parsePath(text), steps)
    })
  }

  for (const text of [
    '.',
    'a.',
    'a..b',
    'a[',
    'a[]',
    'a[name=app',
    'a[name=]',
    'a b',
    '[app]',
    'a["x]',
    'a[*]',
    'a[x,y=1]',
    'a["\\x"]',
  ]) {
    it(`is not ${text}`, () => {
      assert.throws(() => parsePath(text), RangeError)
    })
  }
})

describe('a pattern of paths', () => {
  const image = 'spec.template.spec.containers[name=app].image'
  const port = 'spec.template.spec.containers[name=app].ports[containerPort=80,protocol=TCP].hostPort'
  const cases: readonly (readonly [pattern: string, path: string, fits: boolean])[] = [
    [image, image, true],
    ['spec.template', image, true],
    ['spec.template.spec.containers[name=app].image.tag', image, false],
    ['spec.temp', image, false],
    ['containers[app].image', image, true],
    ['containers[app]', image, true],
    ['containers[proxy].image', image, false],
    ['containers[*].image', image, true],
    ['containers.*.image', image, true],
    ['*.template.spec', image, true],
    ['containers[name=app]', image, true],
    ['containers[image=app]', image, false],
    ['template.spec.containers', image, true],
    ['image', image, false],
    ['', image, true],
    ['containers[app].ports[80,TCP]', port, true],
    ['containers[app].ports[80]', port, true],
    ['containers[app].ports[TCP]', port, true],
    ['containers[app].ports[80,UDP]', port, false],
    ['containers[app].ports[protocol=TCP]', port, true],
    ['metadata.finalizers[foo]', 'metadata.finalizers[="foo"]', true],
    ['metadata.finalizers[="foo"]', 'metadata.finalizers[="foo"]', true],
    ['data["app.conf"]', 'data["app.conf"]', true],
    ['data["app.conf"]', 'data.app', false],
    ['metadata.labels.*', 'metadata.labels["a.b/c"]', true],
    ['metadata.labels.app', 'metadata.labels.app', true],
    ['metadata.labels', 'spec.template.metadata.labels.app', false],
    ['template.metadata.labels', 'spec.template.metadata.labels.app', true],
    ['rules[3]', 'rules[3].verbs', true],
    ['containers[app].image', 'spec.jobTemplate.spec.template.spec.containers[name=app].image', true],
  ]
  for (const [pattern, path, fits] of cases) {
    it(`${pattern === '' ? 'that is empty' : pattern} ${fits ? 'fits' : 'does not fit'} ${path}`, () => {
      assert.equal(matchesPath(pattern, path), fits)
    })
  }

  it('fits every path in its short form', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), fc.boolean(), (steps, isPod) => {
        const prefix = isPod ? ['spec', 'template', 'spec', 'containers'] : ['metadata']
        const path = formatPath([...prefix.map((name) => ({ key: name })), ...steps])
        assert.ok(matchesPath(shortPath(path), path), shortPath(path))
      }),
      { numRuns: 3000 },
    )
  })

  it('that cannot be read says so', () => {
    assert.throws(() => matchesPath('containers[app', 'spec'), /"\]" was expected at character 15/)
  })
})

describe('a pattern and a change of something greater', () => {
  const proxy = { name: 'proxy', image: 'envoy:1', ports: [{ containerPort: 80, protocol: 'TCP' }] }
  const added: FieldChange = {
    path: 'spec.template.spec.containers[name=proxy]',
    op: 'add',
    to: proxy,
    index: { to: 0 },
  }
  const created: FieldChange = {
    path: '',
    op: 'add',
    to: { spec: { template: { spec: { containers: [proxy] } } } },
  }
  const cases: readonly (readonly [pattern: string, change: FieldChange, fits: boolean])[] = [
    ['containers[proxy].image', added, true],
    ['containers[proxy].ports[80]', added, true],
    ['containers[*].image', added, true],
    ['spec.template.spec.containers[name=proxy].image', added, true],
    ['containers', added, true],
    ['containers[proxy].tty', added, false],
    ['containers[app].image', added, false],
    ['containers[proxy].image.tag', added, false],
    ['containers[proxy].image', created, true],
    ['containers[app].image', created, false],
    ['replicas', created, false],
    ['spec', created, true],
    ['rules[1].verbs', { path: 'rules', op: 'replace', from: [], to: [{}, { verbs: [] }] }, true],
    ['rules[1].verbs', { path: 'rules', op: 'replace', from: [], to: [{ verbs: [] }] }, false],
    ['metadata.labels.app', { path: 'metadata.labels', op: 'remove', from: { app: 'x' } }, true],
    ['data.a', { path: 'data.a', op: 'replace', lines: [] }, true],
  ]
  for (const [pattern, change, fits] of cases) {
    it(`${pattern} ${fits ? 'is' : 'is not'} in ${change.op} ${change.path === '' ? 'of the object' : change.path}`, () => {
      assert.equal(matchesChange(pattern, change), fits)
    })
  }
})

describe('the short form of a path', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['spec.template.spec.containers[name=app].image', 'containers[app].image'],
    ['spec.jobTemplate.spec.template.spec.containers[name=app].image', 'containers[app].image'],
    ['spec.jobTemplate.spec.backoffLimit', 'jobTemplate.spec.backoffLimit'],
    ['spec.replicas', 'replicas'],
    ['spec.template.metadata.labels.app', 'template.metadata.labels.app'],
    ['spec.template.spec', 'template.spec'],
    ['spec', 'spec'],
    ['spec.activeDeadlineSeconds', 'spec.activeDeadlineSeconds'],
    ['spec.template.spec.activeDeadlineSeconds', 'template.spec.activeDeadlineSeconds'],
    ['spec.ports[port=80,protocol=TCP].nodePort', 'ports[80,TCP].nodePort'],
    ['metadata.finalizers[="foo.io/x"]', 'metadata.finalizers[foo.io/x]'],
    ['metadata.labels["a.b/c"]', 'metadata.labels["a.b/c"]'],
    ['spec.containers[name="a b"]', 'containers["a b"]'],
    ['', ''],
    ['no [path', 'no [path'],
  ]
  for (const [path, short] of cases) {
    it(`of ${path === '' ? 'the object' : path} is ${short === '' ? 'empty' : short}`, () => {
      assert.equal(shortPath(path), short)
    })
  }
})
