import assert from 'node:assert/strict'
import { objectsLeft } from '../../../src/cli/features/blame/diff-view-objects.ts'
import { diffView } from '../../../src/cli/features/blame/diff-view.ts'
import { renderDiffs } from '../../../src/cli/render/diff.ts'
import { listKeysOf } from '../../../src/core/model/list-keys.ts'
import { diffObjects } from '../../../src/core/model/object-diff.ts'
import { withoutNoise } from '../../../src/core/model/object-noise.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { Change, FieldChange } from '../../../src/core/wire/change.ts'
import { userNamed } from '../../kit/sample-change.ts'
import { change, type ChangeSeed } from './changes.ts'
import { lines } from './screen.ts'

function web(containers: readonly object[], spec: object = {}): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-of-web', resourceVersion: '7' },
    spec: { replicas: 3, ...spec, template: { spec: { containers, dnsPolicy: 'ClusterFirst' } } },
    status: { replicas: 3 },
  }
}

function changed(before: KubernetesObject, after: KubernetesObject, seed: ChangeSeed = {}): Change {
  const changes = diffObjects(withoutNoise(before), withoutNoise(after), listKeysOf(before, after))
  return change({ changes, ...seed })
}

/** The hunks of a view, as they are printed. */
function hunks(shown: Change, after?: KubernetesObject): string {
  const { hunks: found, note } = diffView(shown, after)
  return [...renderDiffs([{ title: '', facts: [], hunks: found, note }])].join('').slice(1)
}

const ofFields = (changes: readonly FieldChange[]): string => hunks(change({ changes }))

describe('the header of a diff', () => {
  const header = (seed: ChangeSeed): string =>
    [...renderDiffs([{ ...diffView(change(seed)), hunks: [], note: '' }])].join('')

  it('says who changed what, when, with what and how certain that is', () => {
    const user = {
      ...userNamed('dev-1@example.org'),
      groups: ['shop-dev', 'ops'],
      extra: { sso: ['a', 'b'] },
    }
    assert.equal(
      header({ user }),
      lines(`
        UPDATE deployment/web in shop
        change:   1-1
        time:     2026-11-21T10:56:00.000Z
        user:     dev-1@example.org
        groups:   shop-dev, ops
        extra:    sso=a,b
        manager:  kubectl-edit
        state:    confirmed
      `),
    )
  })

  it('says on whose behalf a tool wrote', () => {
    const via = {
      tool: 'argo-cd',
      source: 'Application argocd/shop',
      revision: '9f3c2e1',
      initiatedBy: 'dev-2',
    }
    assert.match(
      header({ via }),
      /^on behalf of: +Argo CD, Application argocd\/shop at 9f3c2e1, asked for by dev-2$/m,
    )
  })

  it('says that nobody is known, and why', () => {
    const text = header({ user: null, state: 'unattributed', reason: 'the webhook was removed' })
    assert.match(text, /^user: +\?$/m)
    assert.match(text, /^state: +unattributed: the webhook was removed$/m)
  })

  it('names all who may have made it', () => {
    const text = header({ state: 'ambiguous', user: null, candidates: [userNamed('a@x'), userNamed('b@x')] })
    assert.deepEqual(text.match(/^user: +.*$/gm), ['user:     a@x', 'user:     b@x'])
  })
})

describe('a diff without the object', () => {
  it('shows each field as YAML under the place that it is in', () => {
    const shown = changed(
      web([{ name: 'app', image: 'nginx:1.24' }]),
      web([{ name: 'app', image: 'nginx:1.25', tty: true }], { replicas: 6 }),
    )
    assert.equal(
      hunks(shown),
      lines(`
        @@ spec @@
        -replicas: 3
        +replicas: 6
        @@ containers[app] @@
        -image: nginx:1.24
        +image: nginx:1.25
        +tty: true
      `),
    )
  })

  it('shows entries that came, went and moved', () => {
    const [a, b, c] = [
      { name: 'a' },
      { name: 'b', image: 'x' },
      { name: 'c', ports: [{ containerPort: 80 }] },
    ]
    assert.equal(
      hunks(changed(web([a, b, { name: 'd' }]), web([c, b, a]))),
      lines(`
        @@ containers @@
        +- name: c
        +  ports:
        +  - containerPort: 80
        @@ containers[b] @@
         # moved within its list
        @@ containers @@
        -- name: d
      `),
    )
  })

  it('shows the changed lines of a text', () => {
    const from = { kind: 'ConfigMap', metadata: { name: 'x' }, data: { 'app.conf': 'a\nb\nc\n' } }
    const to = { ...from, data: { 'app.conf': 'a\nB\nc\nd' } }
    assert.equal(
      hunks(changed(from, to)),
      lines(`
        @@ data["app.conf"] line 2 @@
        -b
        +B
        @@ data["app.conf"] line 4 @@
        -
        +d
      `),
    )
  })

  it('shows what differs within a list without keys', () => {
    const args = (...list: string[]) => [{ name: 'app', args: list }]
    const before = web(args('1', '2', '3', '4', '5', '6', '7', '8', '9'))
    const after = web(args('1', '2', '3', '4', 'five', '6', '7', '8', '9'))
    assert.equal(
      hunks(changed(before, after)),
      lines(`
        @@ containers[app] @@
         - "2"
         - "3"
         - "4"
        -- "5"
        +- five
         - "6"
         - "7"
         - "8"
      `),
    )
  })

  it('shows the whole of what was created or deleted', () => {
    const map = { kind: 'ConfigMap', data: { a: '1\n2\n' } }
    assert.equal(
      hunks(change({ operation: 'CREATE', changes: diffObjects(undefined, map, listKeysOf()) })),
      lines(`
        @@
        +data:
        +  a: |
        +    1
        +    2
        +kind: ConfigMap
      `),
    )
  })

  it('says that a redacted value is another one, or the same', () => {
    const mark = (digit: string): string => `redacted:${digit.repeat(16)}`
    assert.equal(
      ofFields([
        { path: 'data.password', op: 'replace', from: mark('1'), to: mark('2') },
        { path: 'data.token', op: 'add', to: mark('3') },
        { path: 'data.url', op: 'replace', from: `http://u:${mark('4')}@a`, to: `http://u:${mark('4')}@b` },
      ]),
      lines(`
        @@ data @@
        -password: *** (before)
        +password: *** (after)
        +token: ***
        -url: http://u:***@a
        +url: http://u:***@b
      `),
    )
  })

  it('says why there is nothing to show', () => {
    assert.match(hunks(change({ changes: [], truncated: true })), /too large/)
    const connected = change({ operation: 'CONNECT', changes: [], object: { subresource: 'exec' } })
    assert.match(hunks(connected), /a connection \(exec\)/)
  })
})

describe('a diff with the object', () => {
  const app = (image: string) => ({ name: 'app', image, env: [{ name: 'A', value: '1' }] })
  const first = web([app('nginx:1.24')])
  const second = web([app('nginx:1.25')])
  const third = web([app('nginx:1.25')], { replicas: 6 })
  const [older, newer] = [changed(first, second), changed(second, third, { id: '1-2' })]

  it('has three lines of context, as the change left them', () => {
    const left = objectsLeft([newer, older], third)
    assert.equal(
      hunks(older, left.get(older)),
      lines(`
        @@ containers[app] @@
               - env:
                 - name: A
                   value: "1"
        -        image: nginx:1.24
        +        image: nginx:1.25
                 name: app
               dnsPolicy: ClusterFirst
      `),
    )
    assert.match(hunks(newer, left.get(newer)), /^-  replicas: 3\n\+  replicas: 6$/m)
  })

  it('joins places whose context meets', () => {
    const both = changed(
      web([{ name: 'a', image: '1', tty: true }]),
      web([{ name: 'a', image: '2', tty: false }]),
    )
    const left = objectsLeft([both], web([{ name: 'a', image: '2', tty: false }]))
    assert.equal(hunks(both, left.get(both)).match(/^@@/gm)?.length, 1)
  })

  it('ends where today does not follow from what was recorded', () => {
    const edited = web([app('nginx:1.26')], { replicas: 6 })
    const left = objectsLeft([newer, older], edited)
    assert.deepEqual([left.has(newer), left.has(older)], [true, false])
    assert.equal(hunks(older, left.get(older)), hunks(older))
  })

  it('ends at a change of which the values were not kept, and passes by what changes nothing', () => {
    const truncated = change({ changes: [], truncated: true })
    assert.equal(objectsLeft([truncated, older], second).size, 0)
    const connected = change({ operation: 'CONNECT', changes: [], object: { subresource: 'exec' } })
    const evicted = change({ operation: 'CREATE', changes: [], object: { subresource: 'eviction' } })
    assert.deepEqual([...objectsLeft([connected, evicted, older], second).keys()], [older])
  })

  it('takes no context from another object of that name', () => {
    const another = { ...third, metadata: { ...third.metadata, uid: 'other' } }
    assert.equal(objectsLeft([newer, older], another).size, 0)
  })

  it("shows no credential of today's object, not even beside what changed", () => {
    const withToken = (image: string) =>
      web([{ name: 'app', image, env: [{ name: 'API_TOKEN', value: 'hunter2hunter2' }] }])
    const shown = changed(withToken('a:1'), withToken('a:2'))
    const left = objectsLeft([shown], withToken('a:2'))
    const text = hunks(shown, left.get(shown))
    assert.match(text, /value: '?\*\*\*'?$/m)
    assert.doesNotMatch(text, /hunter2/)
  })

  it('walks back over changes of what is redacted', () => {
    const withToken = (value: string, image = 'a:1') =>
      web([{ name: 'app', image, env: [{ name: 'TOKEN', value }] }])
    const marks = ['redacted:1111111111111111', 'redacted:2222222222222222'] as const
    const bumped = changed(withToken(marks[0], 'a:0'), withToken(marks[0]))
    const rotated = changed(withToken(marks[0]), withToken(marks[1]), { id: '1-2' })
    const left = objectsLeft([rotated, bumped], withToken('hunter2hunter2'))
    assert.match(hunks(rotated, left.get(rotated)), /^-value: \*\*\* \(before\)\n\+value: \*\*\* \(after\)$/m)
    assert.match(hunks(bumped, left.get(bumped)), /value: \*\*\*\n-        image: a:0/)
  })
})
