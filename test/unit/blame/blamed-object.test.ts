import assert from 'node:assert/strict'
import { blamedObject, type BlamedLine } from '../../../src/cli/features/blame/blamed-object.ts'
import { fieldOwners } from '../../../src/core/model/field-owners.ts'
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/core/wire/admission-review.ts'
import type { FieldTouch } from '../../../src/core/wire/change.ts'

const entry = (
  manager: string,
  time: string | null,
  fieldsV1: Record<string, unknown>,
  rest: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry => ({ manager, operation: 'Update', fieldsType: 'FieldsV1', fieldsV1, time, ...rest })

const touch = (path: string, username: string, time: string, rest: Partial<FieldTouch> = {}): FieldTouch => ({
  path,
  change: `w-${time}`,
  operation: path === '' ? 'CREATE' : 'UPDATE',
  time,
  username,
  manager: 'kubectl-edit',
  state: 'confirmed',
  ...rest,
})

const web = (managedFields: readonly ManagedFieldsEntry[] | null = null): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    annotations: { 'deployment.kubernetes.io/revision': '2', note: 'two\nlines' },
    generation: 2,
    labels: {},
    managedFields,
    name: 'web',
    namespace: 'shop',
    resourceVersion: '815',
  },
  spec: {
    replicas: 6,
    template: {
      spec: {
        containers: [
          { name: 'app', image: 'nginx:1.25', args: ['-g', 'daemon off;'] },
          { name: 'log', image: 'fluent-bit:3', env: [{ name: 'LEVEL', value: 'true' }] },
        ],
      },
    },
  },
  status: { replicas: 6 },
})

const blame = (object: KubernetesObject, touched?: readonly FieldTouch[]): readonly BlamedLine[] =>
  blamedObject(object, { owners: fieldOwners(object), touched })

/** Each line with who is named there. */
const told = (lines: readonly BlamedLine[]): string[] =>
  lines.map(
    ({ text, owners }) =>
      `${owners.map(({ type, name }) => (type === 'person' ? name : `(${name})`)).join(' + ')}| ${text}`,
  )

const whoAt = (lines: readonly BlamedLine[], path: string): string[] => {
  const line = lines.find((candidate) => candidate.path === path)
  assert.ok(line, `no line of ${path}`)
  return line.owners.map(({ type, name }) => (type === 'person' ? name : `(${name})`))
}

describe('An object with who is named at each line', () => {
  it('has the lines of its YAML, with the paths of their fields', () => {
    const lines = blame(web())
    assert.deepEqual(
      lines.map(({ path, text }) => [text, path]),
      [
        ['apiVersion: apps/v1', 'apiVersion'],
        ['kind: Deployment', 'kind'],
        ['metadata:', 'metadata'],
        ['  annotations:', 'metadata.annotations'],
        [
          '    deployment.kubernetes.io/revision: "2"',
          'metadata.annotations["deployment.kubernetes.io/revision"]',
        ],
        ['    note: |-', 'metadata.annotations.note'],
        ['      two', 'metadata.annotations.note'],
        ['      lines', 'metadata.annotations.note'],
        ['  generation: 2', 'metadata.generation'],
        ['  labels: {}', 'metadata.labels'],
        ['  name: web', 'metadata.name'],
        ['  namespace: shop', 'metadata.namespace'],
        ['  resourceVersion: "815"', 'metadata.resourceVersion'],
        ['spec:', 'spec'],
        ['  replicas: 6', 'spec.replicas'],
        ['  template:', 'spec.template'],
        ['    spec:', 'spec.template.spec'],
        ['      containers:', 'spec.template.spec.containers'],
        ['      - args:', 'spec.template.spec.containers[name=app].args'],
        ['        - -g', 'spec.template.spec.containers[name=app].args[0]'],
        ['        - daemon off;', 'spec.template.spec.containers[name=app].args[1]'],
        ['        image: nginx:1.25', 'spec.template.spec.containers[name=app].image'],
        ['        name: app', 'spec.template.spec.containers[name=app].name'],
        ['      - env:', 'spec.template.spec.containers[name=log].env'],
        ['        - name: LEVEL', 'spec.template.spec.containers[name=log].env[name=LEVEL].name'],
        ['          value: "true"', 'spec.template.spec.containers[name=log].env[name=LEVEL].value'],
        ['        image: fluent-bit:3', 'spec.template.spec.containers[name=log].image'],
        ['        name: log', 'spec.template.spec.containers[name=log].name'],
        ['status:', 'status'],
        ['  replicas: 6', 'status.replicas'],
      ],
    )
    assert.deepEqual(
      lines.filter(({ continued }) => continued).map(({ text }) => text),
      ['      two', '      lines'],
    )
  })

  it('names the managers of each field, and nobody where nobody owns it', () => {
    const object = web([
      entry('kubectl-create', '2026-11-20T00:00:00Z', {
        'f:spec': {
          'f:replicas': {},
          'f:template': {
            'f:spec': {
              'f:containers': {
                'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:args': {} },
                'k:{"name":"log"}': { '.': {}, 'f:name': {}, 'f:image': {} },
              },
            },
          },
        },
      }),
      entry('kubectl-set', '2026-11-21T00:00:00Z', {
        'f:spec': {
          'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:image': {} } } } },
        },
      }),
      entry(
        'kube-controller-manager',
        '2026-11-21T00:00:00Z',
        { 'f:status': { 'f:replicas': {} } },
        { subresource: 'status' },
      ),
    ])
    assert.deepEqual(told(blame(object)).slice(13), [
      '| spec:',
      '(kubectl-create)|   replicas: 6',
      '|   template:',
      '|     spec:',
      '|       containers:',
      '(kubectl-create)|       - args:',
      '(kubectl-create)|         - -g',
      '(kubectl-create)|         - daemon off;',
      '(kubectl-set)|         image: nginx:1.25',
      '(kubectl-create)|         name: app',
      // The first line of an item is the item's own where nobody owns its first field.
      '(kubectl-create)|       - env:',
      '|         - name: LEVEL',
      '|           value: "true"',
      '(kubectl-create)|         image: fluent-bit:3',
      '(kubectl-create)|         name: log',
      '| status:',
      '(kube-controller-manager)|   replicas: 6',
    ])
  })

  it('says of a manager its operation, subresource and time, and of a text of several lines the same at each', () => {
    const object = web([
      entry(
        'kubelet',
        null,
        { 'f:metadata': { 'f:annotations': { 'f:note': {} } } },
        { subresource: 'status' },
      ),
    ])
    const lines = blame(object).filter(({ path }) => path === 'metadata.annotations.note')
    assert.equal(lines.length, 3)
    for (const { owners } of lines) {
      assert.deepEqual(owners, [
        {
          type: 'manager',
          name: 'kubelet',
          operation: 'Update',
          subresource: 'status',
          time: undefined,
          change: undefined,
          ambiguous: false,
        },
      ])
    }
  })

  it('writes lists of lists, empty things, null and documents without metadata', () => {
    const object = { kind: 'Odd', data: { a: [[1, [2]], [], {}, null], b: null, c: [] } }
    assert.deepEqual(
      blame(object).map(({ text, path }) => [text, path]),
      [
        ['data:', 'data'],
        ['  a:', 'data.a'],
        ['  - - 1', 'data.a[0][0]'],
        ['    - - 2', 'data.a[0][1][0]'],
        ['  - []', 'data.a[1]'],
        ['  - {}', 'data.a[2]'],
        ['  - null', 'data.a[3]'],
        ['  b: null', 'data.b'],
        ['  c: []', 'data.c'],
        ['kind: Odd', 'kind'],
      ],
    )
    assert.deepEqual(
      blame({}).map(({ text }) => text),
      ['{}'],
    )
  })

  it('announces a key that YAML would not read as one', () => {
    const key = 'k'.repeat(1100)
    const texts = blame({ data: { [key]: { a: 1 } } }).map(({ text }) => text)
    assert.deepEqual(texts, ['data:', `  ? ${key}`, '  :', '    a: 1'])
  })
})

describe('Recorded touches at the lines of an object', () => {
  const fields = (...names: string[]) => ({
    'f:spec': Object.fromEntries(names.map((name) => [`f:${name}`, {}])),
  })
  const created = '2026-11-20T00:00:00.500Z'

  it('name the person, with time, operation and change, in place of the manager', () => {
    const object = web([entry('kubectl-edit', '2026-11-21T00:00:00Z', fields('replicas'))])
    const lines = blame(object, [touch('spec.replicas', 'dev-1', '2026-11-21T00:00:00.250Z')])
    assert.deepEqual(lines.find(({ path }) => path === 'spec.replicas')?.owners, [
      {
        type: 'person',
        name: 'dev-1',
        operation: 'UPDATE',
        subresource: '',
        time: Date.parse('2026-11-21T00:00:00.250Z'),
        change: 'w-2026-11-21T00:00:00.250Z',
        ambiguous: false,
      },
    ])
  })

  it('of a whole entry or of the creation cover all below, unless there is a later one', () => {
    const app = 'spec.template.spec.containers[name=app]'
    const lines = blame(web(), [
      touch('', 'dev-1', created),
      touch(app, 'dev-2', '2026-11-21T00:00:00Z'),
      touch(`${app}.image`, 'dev-3', '2026-11-21T01:00:00Z'),
    ])
    assert.deepEqual(whoAt(lines, 'apiVersion'), ['dev-1'])
    assert.deepEqual(whoAt(lines, 'spec.template.spec.containers'), ['dev-1'])
    assert.deepEqual(whoAt(lines, `${app}.args`), ['dev-2'])
    assert.deepEqual(whoAt(lines, `${app}.args[1]`), ['dev-2'])
    assert.deepEqual(whoAt(lines, `${app}.image`), ['dev-3'])
    assert.deepEqual(whoAt(lines, 'spec.template.spec.containers[name=log].image'), ['dev-1'])
  })

  it('of an entry that was put back, and of an object created anew, hold against older ones below', () => {
    const app = 'spec.template.spec.containers[name=app]'
    const lines = blame(web(), [
      touch('spec.replicas', 'dev-1', '2026-11-19T00:00:00Z'),
      touch('', 'dev-2', created),
      touch(`${app}.image`, 'dev-3', '2026-11-20T10:00:00Z'),
      touch(app, 'dev-4', '2026-11-21T00:00:00Z'),
    ])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['dev-2'])
    assert.deepEqual(whoAt(lines, `${app}.image`), ['dev-4'])
  })

  it('that were noticed late, without a review, do not hold against a recorded one below', () => {
    const lines = blame(web(), [
      touch('spec.replicas', 'dev-1', '2026-11-21T00:00:00Z'),
      touch('spec', '', '2026-11-21T00:10:00Z', { state: 'unattributed', manager: 'helm' }),
    ])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['dev-1'])
    assert.deepEqual(whoAt(lines, 'spec.template'), ['(helm)'])
  })

  it('by clocks that differ a little go by the deepest path', () => {
    const lines = blame(web(), [
      touch('spec.replicas', 'deep', '2026-11-21T00:00:00Z'),
      touch('spec', 'shallow', '2026-11-21T00:00:02Z'),
    ])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['deep'])
  })

  it('at one moment go by the deepest path', () => {
    const lines = blame(web(), [touch('spec.replicas', 'deep', created), touch('spec', 'shallow', created)])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['deep'])
    assert.deepEqual(whoAt(lines, 'spec.template'), ['shallow'])
  })

  it('reach entries by their keys wherever they stand, sets by value and other lists by place', () => {
    const object = {
      metadata: { finalizers: ['b', 'a'] },
      spec: {
        args: ['x', 'z'],
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    }
    const lines = blame(object, [
      touch('spec.ports[port=53,protocol=TCP]', 'dev-1', created),
      touch('metadata.finalizers[="a"]', 'dev-2', created),
      touch('spec.args[1]', 'dev-3', created),
    ])
    const named = told(lines).filter((line) => !line.startsWith('|'))
    assert.deepEqual(named, [
      'dev-2|   - a',
      'dev-3|   - z',
      'dev-1|   - port: 53',
      'dev-1|     protocol: TCP',
    ])
  })

  it('do not claim status, counters and copies that tools keep for themselves', () => {
    const object = web([
      entry(
        'kube-controller-manager',
        '2026-11-20T00:00:01Z',
        { 'f:status': { 'f:replicas': {} } },
        { subresource: 'status' },
      ),
    ])
    const lines = blame(object, [touch('', 'dev-1', created)])
    assert.deepEqual(whoAt(lines, 'status.replicas'), ['(kube-controller-manager)'])
    for (const path of [
      'metadata.generation',
      'metadata.resourceVersion',
      'metadata.annotations["deployment.kubernetes.io/revision"]',
    ]) {
      assert.deepEqual(whoAt(lines, path), [], path)
    }
    assert.deepEqual(whoAt(lines, 'metadata.name'), ['dev-1'])
  })

  it('give way to a manager that has the field by a newer write, which was not recorded', () => {
    const object = web([entry('web-operator', '2026-11-21T00:00:00Z', fields('replicas'))])
    const lines = blame(object, [touch('spec.replicas', 'dev-1', '2026-11-20T12:00:00Z')])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['(web-operator)'])
    const underCreation = blame(object, [touch('', 'dev-1', created)])
    assert.deepEqual(whoAt(underCreation, 'spec.replicas'), ['(web-operator)'])
    assert.deepEqual(whoAt(underCreation, 'spec.template'), ['dev-1'])
  })

  it('hold where their own manager still owns the field, however late its other writes were', () => {
    const object = web([entry('kubectl-edit', '2026-11-21T00:00:00Z', fields('replicas', 'paused'))])
    const lines = blame(object, [touch('spec.replicas', 'dev-1', '2026-11-20T12:00:00Z')])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['dev-1'])
  })

  it('hold against an older manager, and against merged entries', () => {
    const touched = [
      touch('spec.replicas', 'dev-1', '2026-11-21T00:00:00.900Z', { manager: 'kubectl-scale' }),
    ]
    for (const [manager, time] of [
      ['helm', '2026-11-20T00:00:00Z'],
      ['helm', '2026-11-21T00:00:00Z'],
      ['ancient-changes', '2026-11-21T10:00:00Z'],
      ['helm', null],
    ] as const) {
      const lines = blame(web([entry(manager, time, fields('replicas'))]), touched)
      assert.equal(whoAt(lines, 'spec.replicas')[0], 'dev-1', manager)
    }
  })

  it('hold where client-side apply was given up for server-side apply, which takes fields over without changing them', () => {
    const object = web([entry('kubectl', '2026-11-21T02:00:00Z', fields('replicas'), { operation: 'Apply' })])
    const byApply = touch('spec.replicas', 'dev-1', '2026-11-21T00:00:00.250Z', {
      manager: 'kubectl-client-side-apply',
    })
    assert.deepEqual(whoAt(blame(object, [byApply]), 'spec.replicas'), ['dev-1', '(kubectl)'])
  })

  it('name who applied the same value beside', () => {
    const object = web([
      entry('kubectl-edit', '2026-11-21T00:00:00Z', fields('replicas')),
      entry('argocd-controller', '2026-11-21T02:00:00Z', fields('replicas'), { operation: 'Apply' }),
    ])
    const lines = blame(object, [touch('spec.replicas', 'dev-1', '2026-11-21T00:00:00.250Z')])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['dev-1', '(argocd-controller)'])
  })

  it('of a scale, which names no manager, are not doubled by what managedFields has of it', () => {
    const scale = touch('spec.replicas', 'dev-1', '2026-11-21T00:00:00.250Z', { manager: '' })
    for (const time of [null, '2026-11-21T00:00:00Z', '2026-11-21T00:00:01Z']) {
      const object = web([entry('kubectl', time, fields('replicas'), { subresource: 'scale' })])
      assert.deepEqual(whoAt(blame(object, [scale]), 'spec.replicas'), ['dev-1'])
    }
  })

  it('without a manager hold where the manager’s later write is a recorded one of another field', () => {
    const object = web([entry('python-client', '2026-11-21T00:10:00Z', fields('replicas', 'paused'))])
    const first = touch('spec.replicas', 'dev-1', '2026-11-21T00:00:00Z', { manager: '' })
    const second = touch('spec.paused', 'dev-2', '2026-11-21T00:10:00.400Z', { manager: '' })
    assert.deepEqual(whoAt(blame(object, [first, second]), 'spec.replicas'), ['dev-1'])
    assert.deepEqual(whoAt(blame(object, [first]), 'spec.replicas'), ['(python-client)'])
  })

  it('without a user name the manager, marked as such', () => {
    const lines = blame(web(), [
      touch('spec.replicas', '', created, { state: 'unattributed', manager: 'helm' }),
      touch('spec.template', '', created, { state: 'unattributed', manager: '' }),
    ])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['(helm)'])
    assert.deepEqual(whoAt(lines, 'spec.template'), ['(?)'])
  })

  it('shorten the name of a ServiceAccount, as lists do', () => {
    const argo = 'system:serviceaccount:argocd:argocd-application-controller'
    const lines = blame(web(), [touch('spec.replicas', argo, created)])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['argocd/argocd-application-controller'])
  })

  it('say where several may have made the change', () => {
    const lines = blame(web(), [touch('spec.replicas', 'dev-1', created, { state: 'ambiguous' })])
    assert.equal(lines.find(({ path }) => path === 'spec.replicas')?.owners[0]?.ambiguous, true)
  })

  it('of a deletion that waits for finalizers claim only when the object ends', () => {
    const object = { ...web(), metadata: { name: 'web', deletionTimestamp: '2026-11-21T00:00:00Z' } }
    const lines = blame(object, [
      touch('', 'dev-1', created),
      touch('', 'dev-2', '2026-11-21T00:00:00Z', { operation: 'DELETE' }),
    ])
    assert.deepEqual(whoAt(lines, 'metadata.deletionTimestamp'), ['dev-2'])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['dev-1'])
  })

  it('whose path is none are passed over', () => {
    const lines = blame(web(), [touch('spec.[', 'dev-1', created), touch('spec.replicas', 'dev-2', created)])
    assert.deepEqual(whoAt(lines, 'spec.replicas'), ['dev-2'])
  })
})

describe('A Secret with who is named at each line', () => {
  it('shows who wrote which key, and no value', () => {
    const copy = '{"data":{"password":"aHVudGVyMg=="}}'
    const secret: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      data: { password: 'aHVudGVyMg==' },
      stringData: { token: 'hunter2' },
      metadata: {
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': copy, note: 'kept' },
        managedFields: [entry('kubectl-edit', '2026-11-21T00:00:00Z', { 'f:data': { 'f:password': {} } })],
      },
    }
    assert.deepEqual(told(blame(secret)), [
      '| apiVersion: v1',
      '| data:',
      "(kubectl-edit)|   password: '***'",
      '| kind: Secret',
      '| metadata:',
      '|   annotations:',
      "|     kubectl.kubernetes.io/last-applied-configuration: '***'",
      '|     note: kept',
      '| stringData:',
      "|   token: '***'",
    ])
    const { metadata: _, ...bare } = secret
    assert.doesNotMatch(JSON.stringify(blame(bare)), /hunter2|aHVudGVy/)
  })
})
