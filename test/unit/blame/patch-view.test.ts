import assert from 'node:assert/strict'
import { patchView, type PatchInput } from '../../../src/cli/features/blame/patch-view.ts'
import { renderBorderedTable } from '../../../src/cli/render/bordered-table.ts'
import { userNamed } from '../../kit/sample-change.ts'
import { change, NOW, replaced, utcCalendar } from './changes.ts'
import { lines } from './screen.ts'

const GAP = { from: '2026-11-21T10:20:00Z', to: '2026-11-21T10:31:00Z', reason: 'companion restarted' }

function table(input: Partial<PatchInput>, width = 100): string {
  const { titles, rows } = patchView({
    changes: [],
    extra: { gaps: [] },
    reverse: false,
    unfold: false,
    now: NOW,
    calendar: utcCalendar,
    ...input,
  })
  return [...renderBorderedTable(titles, rows, { width })].join('')
}

/** The lines of the PATCH cell of the only row. */
function patchOf(...changes: Parameters<typeof change>): readonly string[] {
  const [row] = patchView({
    changes: [change(...changes)],
    extra: { gaps: [] },
    reverse: false,
    unfold: false,
    now: NOW,
    calendar: utcCalendar,
  }).rows
  return row && 'cells' in row ? (row.cells[4] ?? []) : []
}

describe('the table of patches', () => {
  const scaled = change({
    ago: 1,
    user: {
      username: 'kubernetes-admin',
      groups: ['system:masters', 'system:authenticated'],
      extra: { 'example.org/team': ['a', 'b'] },
    },
    changes: [
      replaced('spec.replicas', 2, 1),
      {
        path: 'spec.template.spec.containers[name=app].env[name=LOG_LEVEL]',
        op: 'add',
        to: { name: 'LOG_LEVEL', value: 'debug' },
      },
    ],
  })

  it('has all that is known of the user, the moment, and paths with their values, within its screen', () => {
    assert.equal(
      table({
        changes: [
          scaled,
          change({ ago: 38, user: null, state: 'unattributed', via: { manager: 'helm', tool: 'helm' } }),
          change({ ago: 50, operation: 'CREATE', state: 'pending', changes: [] }),
        ],
        extra: { gaps: [GAP] },
      }),
      lines(`
        +-------------+-----------+-------------------+-------------+--------------------------------------+
        | KEY         | OPERATION | USER              | TIME        | PATCH                                |
        +-------------+-----------+-------------------+-------------+--------------------------------------+
        | shop/       | UPDATE    | kubernetes-admin  | 2026-11-21T | replace /spec/replicas 2 → 1         |
        | Deployment/ |           | groups:           | 10:59:00Z   | add /spec/template/spec/             |
        | web         |           | - system:masters  |             |   containers[name=app]/              |
        |             |           | - system:         |             |   env[name=LOG_LEVEL] {name:         |
        |             |           | authenticated     |             |   LOG_LEVEL, value: debug}           |
        |             |           | extra:            |             |                                      |
        |             |           | example.org/      |             |                                      |
        |             |           | team=a,b          |             |                                      |
        |             |           | manager:          |             |                                      |
        |             |           | kubectl-edit      |             |                                      |
        +-------------+-----------+-------------------+-------------+--------------------------------------+
        | not recording 10:20–10:31 (companion restarted); 1 change without a name:                        |
        +-------------+-----------+-------------------+-------------+--------------------------------------+
        | shop/       | UPDATE    | ?                 | 2026-11-21T | replace /spec/replicas 3 → 6         |
        | Deployment/ |           | manager: helm     | 10:22:00Z   |                                      |
        | web         |           |                   |             |                                      |
        +-------------+-----------+-------------------+-------------+--------------------------------------+
        | shop/       | CREATE    | dev-1@example.org | 2026-11-21T | add                                  |
        | Deployment/ | not       | manager:          | 10:10:00Z   |                                      |
        | web         | confirmed | kubectl-edit      |             |                                      |
        |             | yet       |                   |             |                                      |
        +-------------+-----------+-------------------+-------------+--------------------------------------+
      `),
    )
  })

  it('is as wide as it needs to be, and no wider', () => {
    assert.equal(
      table({ changes: [change({ ago: 1, user: 'dev-1' })] }, 200),
      lines(`
        +---------------------+-----------+-----------------------+----------------------+------------------------------+
        | KEY                 | OPERATION | USER                  | TIME                 | PATCH                        |
        +---------------------+-----------+-----------------------+----------------------+------------------------------+
        | shop/Deployment/web | UPDATE    | dev-1                 | 2026-11-21T10:59:00Z | replace /spec/replicas 3 → 6 |
        |                     |           | manager: kubectl-edit |                      |                              |
        +---------------------+-----------+-----------------------+----------------------+------------------------------+
      `),
    )
  })

  it('writes list entries by their keys, and every value in whole', () => {
    const path = 'spec.template.spec.containers[name=app]'
    const long = 'x'.repeat(500)
    assert.deepEqual(patchOf({ changes: [replaced(`${path}.image`, long, 'y')] }), [
      `replace /spec/template/spec/containers[name=app]/image ${long} → y`,
    ])
    assert.deepEqual(patchOf({ changes: [{ path: `${path}.args[3]`, op: 'remove', from: '' }] }), [
      'remove /spec/template/spec/containers[name=app]/args/3 ""',
    ])
    assert.deepEqual(patchOf({ changes: [{ path: 'metadata.finalizers[="a/b"]', op: 'add', to: 'a/b' }] }), [
      'add /metadata/finalizers[a/b] a/b',
    ])
    assert.deepEqual(patchOf({ changes: [{ path: 'metadata.labels["a/b~c"]', op: 'add', to: '1' }] }), [
      'add /metadata/labels/a~1b~0c "1"',
    ])
    assert.deepEqual(patchOf({ changes: [{ path, op: 'replace', index: { from: 1, to: 0 } }] }), [
      'move /spec/template/spec/containers[name=app] 2 → 1',
    ])
    const [before, after] = ['redacted:0123456789abcdef', 'redacted:fedcba9876543210']
    assert.deepEqual(patchOf({ changes: [replaced('data.token', before, after)] }), [
      'replace /data/token *** → *** (changed)',
    ])
  })

  it('has the changed lines of a text', () => {
    const hunks = [{ line: 3, from: ['old'], to: ['new', 'password: redacted:0123456789abcdef'] }]
    assert.deepEqual(patchOf({ changes: [{ path: 'data["app.conf"]', op: 'replace', lines: hunks }] }), [
      'replace /data/app.conf',
      '  line 3:',
      '  - old',
      '  + new',
      '  + password: ***',
    ])
  })

  it('has a row for each change of one object before those of the next, in either order', () => {
    const api = change({ ago: 2, object: { name: 'api', uid: 'api' } })
    const older = change({ ago: 3 })
    const keys = (reverse: boolean) =>
      patchView({
        changes: [scaled, api, older],
        extra: { gaps: [] },
        reverse,
        unfold: false,
        now: NOW,
        calendar: utcCalendar,
      }).rows.map((row) =>
        'cells' in row ? `${row.cells[0]?.join('')} ${row.cells[3]?.join('').slice(11, 16)}` : '',
      )
    assert.deepEqual(keys(false), [
      'shop/Deployment/web 10:59',
      'shop/Deployment/web 10:57',
      'shop/Deployment/api 10:58',
    ])
    assert.deepEqual(keys(true), keys(false).toReversed())
  })

  it('names the consequences of a change in its row, or gives them rows', () => {
    const child = change({
      id: '1-2',
      operation: 'DELETE',
      user: 'system:serviceaccount:kube-system:generic-garbage-collector',
      object: { kind: 'Pod', name: 'web-1' },
      changes: [],
      cause: { type: 'owner', change: '1-1', object: 'Deployment web', username: 'dev-1' },
    })
    const root = change({ id: '1-1', ago: 5, operation: 'DELETE', changes: [] })
    const folded = table({ changes: [child, root] }, 200)
    assert.match(folded, /\| remove +\|\n.*\| \+ pod\/web-1 deleted by the garbage collector \|/)
    assert.match(table({ changes: [child, root], unfold: true }, 200), /shop\/Pod\/web-1/)
  })

  it('names all who may have made a change', () => {
    const text = table({
      changes: [change({ state: 'ambiguous', candidates: [userNamed('a'), userNamed('b')] })],
    })
    assert.match(text, /one of: .*\n.*\| a .*\n.*\| b /)
  })
})
