import assert from 'node:assert/strict'
import type { FieldChange } from '../../../src/core/wire/change.ts'
import { changeLines } from '../../../src/cli/features/blame/change-lines.ts'
import { unseenReason } from '../../../src/core/model/unseen-change.ts'
import { valueText } from '../../../src/cli/features/blame/values.ts'
import { change, replaced, type ChangeSeed } from './changes.ts'

function told(seed: ChangeSeed): string[] {
  return changeLines(change(seed), { fields: 12 }).map(({ label, lead, values, tail }) =>
    [label, `${lead}${values.join(' → ')}${tail}`].filter((text) => text !== '').join('  '),
  )
}

const field = (entry: FieldChange): string[] => told({ changes: [entry] })

describe('what a change did, in words', () => {
  it('is one word where there is one', () => {
    const restartedAt = 'spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]'
    assert.deepEqual(told({ operation: 'CREATE', changes: [] }), ['created'])
    assert.deepEqual(told({ operation: 'DELETE', changes: [] }), ['deleted'])
    assert.deepEqual(told({ object: { subresource: 'scale' } }), ['scaled 3 → 6'])
    assert.deepEqual(field({ path: restartedAt, op: 'add', to: '2026-11-21T10:00:00Z' }), ['restarted'])
    assert.deepEqual(field({ path: 'spec.paused', op: 'add', to: true }), ['rollout paused'])
    assert.deepEqual(field({ path: 'spec.paused', op: 'remove', from: true }), ['rollout resumed'])
    assert.deepEqual(field(replaced('spec.suspend', false, true)), ['suspended'])
    assert.deepEqual(field({ path: 'spec.suspend', op: 'add', to: false }), ['suspend  added: false'])
    assert.deepEqual(field(replaced('spec.unschedulable', true, false)), ['uncordoned'])
  })

  it('does not say that a change did not land where nobody was looking', () => {
    const refused = told({ state: 'not-landed', reason: 'nothing landed within 30 s' })
    assert.deepEqual(refused, ['did NOT land: nothing landed within 30 s', 'scaled 3 → 6'])
    const unseen = told({ state: 'not-landed', reason: unseenReason('recording was interrupted meanwhile') })
    assert.deepEqual(unseen, [
      'may have landed: whether it landed was not seen: recording was interrupted meanwhile',
      'scaled 3 → 6',
    ])
  })

  it('names what a person did in a pod, or asked of it', () => {
    const connect = (subresource: string) =>
      told({ operation: 'CONNECT', object: { subresource }, changes: [] })
    assert.deepEqual(connect('exec'), ['asked to run a command (exec)'])
    assert.deepEqual(connect('attach'), ['asked to attach to it (attach)'])
    assert.deepEqual(connect('portforward'), ['asked to forward a port (port-forward)'])
    assert.deepEqual(told({ operation: 'CREATE', object: { subresource: 'eviction' }, changes: [] }), [
      'evicted',
    ])
  })

  it('says of a new object what people ask for first', () => {
    const containers = [{ image: 'nginx:1.25' }, { image: 'envoy:1' }]
    const created = (object: unknown) =>
      told({ operation: 'CREATE', changes: [{ path: '', op: 'add', to: object }] })
    assert.deepEqual(created({ spec: { replicas: 1, template: { spec: { containers } } } }), [
      'created: nginx:1.25, envoy:1, 1 replica',
    ])
    assert.deepEqual(created({ spec: { containers } }), ['created: nginx:1.25, envoy:1'])
    const job = { spec: { template: { spec: { containers } } } }
    assert.deepEqual(created({ spec: { jobTemplate: job } }), ['created: nginx:1.25, envoy:1'])
    assert.deepEqual(created({ data: { a: 'b' } }), ['created'])
    assert.deepEqual(created('redacted'), ['created'])
  })

  it('names fields shortly, with what they were and are', () => {
    assert.deepEqual(field({ path: 'metadata.labels["app.kubernetes.io/name"]', op: 'add', to: '' }), [
      'metadata.labels[app.kubernetes.io/name]  added: ""',
    ])
    assert.deepEqual(
      field({ path: 'spec.template.spec.containers[name=app].args[3]', op: 'remove', from: '-v' }),
      ['containers[app].args[3]  removed, was: -v'],
    )
    assert.deepEqual(field(replaced('data["[odd]"]', 1, 2)), ['data["[odd]"]  1 → 2'])
  })

  it('tells an entry that moved, and one that left', () => {
    const path = 'spec.template.spec.containers[name=b]'
    assert.deepEqual(field({ path, op: 'replace', index: { from: 1, to: 0 } }), [
      'containers[b]  moved from place 2 to 1',
    ])
    assert.deepEqual(field({ path, op: 'remove', from: { name: 'b' }, index: { from: 1 } }), [
      'containers[b]  removed',
    ])
  })

  it('begins with what people ask for first, and ends with what only moved', () => {
    const app = 'spec.template.spec.containers[name=app]'
    const labels = told({
      changes: [
        { path: app, op: 'replace', index: { from: 1, to: 0 } },
        replaced('metadata.labels.app', 'a', 'b'),
        replaced('spec.template.spec.dnsPolicy', 'Default', 'None'),
        replaced(`${app}.env[name=A].value`, 'a', 'b'),
        replaced(`${app}.image`, 'a', 'b'),
        replaced('spec.replicas', 1, 2),
      ],
    }).map((line) => line.split('  ')[0])
    assert.deepEqual(labels, [
      'scaled 1 → 2',
      'containers[app].image',
      'containers[app].env[A].value',
      'dnsPolicy',
      'metadata.labels.app',
      'containers[app]',
    ])
  })

  it('does not say twice what names an entry', () => {
    const path = 'spec.template.spec.containers[name=app]'
    const variable = { name: 'LOG_LEVEL', value: 'debug' }
    assert.deepEqual(field({ path: `${path}.env[name=LOG_LEVEL]`, op: 'add', to: variable }), [
      'containers[app].env[LOG_LEVEL]  added: debug',
    ])
    assert.deepEqual(field({ path, op: 'remove', from: { name: 'app', image: 'nginx:1' } }), [
      'containers[app]  removed, was: {image: nginx:1}',
    ])
    const port = { containerPort: 80, protocol: 'TCP' }
    assert.deepEqual(field({ path: `${path}.ports[containerPort=80]`, op: 'add', to: port }), [
      'containers[app].ports[80]  added',
    ])
    assert.deepEqual(field({ path: 'metadata.finalizers[="a/b"]', op: 'remove', from: 'a/b' }), [
      'metadata.finalizers[a/b]  removed',
    ])
    assert.deepEqual(field({ path: 'metadata.labels', op: 'add', to: {} }), ['metadata.labels  added: {}'])
  })

  it('tells each field of what came or went as a whole', () => {
    const app = 'spec.template.spec.containers[name=app]'
    const restartedAt = { 'kubectl.kubernetes.io/restartedAt': '2026-11-21T10:00:00Z' }
    assert.deepEqual(field({ path: 'spec.template.metadata.annotations', op: 'add', to: restartedAt }), [
      'restarted',
    ])
    const secretKeyRef = { name: 'database', key: 'password' }
    const env = [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'PASSWORD', valueFrom: { secretKeyRef } },
    ]
    assert.deepEqual(field({ path: `${app}.env`, op: 'add', to: env }), [
      'containers[app].env[LOG_LEVEL]  added: info',
      'containers[app].env[PASSWORD].valueFrom.secretKeyRef.name  added: database',
      'containers[app].env[PASSWORD].valueFrom.secretKeyRef.key  added: password',
    ])
    assert.deepEqual(field({ path: `${app}.resources`, op: 'remove', from: { limits: { memory: '1Gi' } } }), [
      'containers[app].resources.limits.memory  removed, was: 1Gi',
    ])
    assert.deepEqual(field({ path: 'metadata.finalizers', op: 'add', to: ['a/b'] }), [
      'metadata.finalizers[a/b]  added',
    ])
    assert.deepEqual(field({ path: 'data', op: 'add', to: { token: 'redacted:0123456789abcdef' } }), [
      'data.token  added: ***',
    ])
  })

  it('leaves out what a new container has by default, but not for -o wide', () => {
    const path = 'spec.template.spec.containers[name=proxy]'
    const to = { name: 'proxy', image: 'envoy:1', terminationMessagePolicy: 'File', resources: {} }
    const added = { path, op: 'add', to } as const
    assert.deepEqual(field(added), ['containers[proxy].image  added: envoy:1', '+ 2 defaults (-o wide)'])
    const wide = changeLines(change({ changes: [added] }), { fields: Number.POSITIVE_INFINITY })
    assert.equal(wide.length, 3)
    const policy = { path: `${path}.terminationMessagePolicy`, op: 'replace', from: 'x', to: 'File' } as const
    assert.equal(field(policy).length, 1)
  })

  it('keeps what has many fields, or no names, as one value', () => {
    const data = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`key${i}`, 'x']))
    assert.equal(field({ path: 'data', op: 'add', to: data }).length, 1)
    const path = 'spec.template.spec.containers[name=app].args'
    assert.deepEqual(field({ path, op: 'add', to: ['a', 'a'] }), ['containers[app].args  added: [a, a]'])
    assert.deepEqual(field({ path: 'not a path', op: 'add', to: { a: 1 } }), ['not a path  added: {a: 1}'])
    const rolling = { rollingUpdate: { maxSurge: '25%' }, type: 'RollingUpdate' }
    assert.deepEqual(field({ path: 'spec.strategy', op: 'remove', from: rolling }), [
      'strategy  removed, was: {rollingUpdate: {maxSurge: 25%}, type: RollingUpdate}',
    ])
  })

  it('counts the lines of a text, and shows the one that changed', () => {
    const hunks = (...lines: NonNullable<FieldChange['lines']>) =>
      field({ path: 'data["app.conf"]', op: 'replace', lines })[0]?.replace('data[app.conf]  ', '')
    assert.equal(
      hunks({ line: 14, from: ['  timeout 5'], to: ['  timeout 10'] }),
      'line 14: timeout 5 → timeout 10',
    )
    assert.equal(hunks({ line: 14, from: ['a', 'b'], to: ['c'] }), '2 lines changed at line 14')
    assert.equal(hunks({ line: 3, from: [], to: ['a'] }), '1 line added at line 3')
    assert.equal(hunks({ line: 3, from: ['a', 'b'], to: [] }), '2 lines removed at line 3')
    assert.equal(
      hunks({ line: 3, from: ['a'], to: ['b'] }, { line: 90, from: [], to: ['c', 'd'] }),
      '3 lines changed in 2 places, first at line 3',
    )
  })

  it('says where fields are not known, or too large to be kept', () => {
    assert.deepEqual(told({ changes: [] }), ['changed (which fields is not known)'])
    assert.deepEqual(told({ changes: [], truncated: true }), ['changed (too large: its values are not kept)'])
    assert.deepEqual(told({ truncated: true }), ['scaled 3 → 6', 'values too large, not kept'])
  })

  it('hides what was taken out, and still says that it is another', () => {
    const [before, after] = ['redacted:0123456789abcdef', 'redacted:fedcba9876543210']
    assert.deepEqual(field(replaced('data.token', before, after)), ['data.token  *** → *** (changed)'])
    assert.deepEqual(field(replaced('data.conf', `password=${before} x`, `password=${after} x`)), [
      'data.conf  password=*** x → password=*** x (changed)',
    ])
    assert.deepEqual(field({ path: 'data.token', op: 'add', to: after }), ['data.token  added: ***'])
    const lines = [{ line: 2, from: [`password: ${before}`], to: [`password: ${after}`] }]
    assert.deepEqual(field({ path: 'data.conf', op: 'replace', lines }), [
      'data.conf  line 2: password: *** → password: *** (changed)',
    ])
  })
})

describe('a value on one line', () => {
  it('is text as it is, where nobody would take it for something else', () => {
    for (const text of ['nginx:1.25', '10.0.0.1', 'a: b', '5m', 'yes', '1.2.3', 'redacted:x']) {
      assert.equal(valueText(text), text)
    }
    for (const text of ['', ' a', '3', '1.25', '-1e3', 'true', 'null', '~', '0x1f']) {
      assert.equal(valueText(text), JSON.stringify(text))
    }
  })

  it('is JSON of numbers, booleans and null, and flow style of what has members', () => {
    assert.deepEqual([3, 0.5, true, null].map(valueText), ['3', '0.5', 'true', 'null'])
    assert.equal(
      valueText({
        name: 'LOG',
        value: 'a, b',
        n: '1',
        empty: {},
        list: [true, null, '- x', 'redacted:0123456789abcdef'],
      }),
      '{name: LOG, value: "a, b", n: "1", empty: {}, list: [true, null, "- x", ***]}',
    )
  })
})
