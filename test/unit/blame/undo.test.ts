import assert from 'node:assert/strict'
import { planUndo } from '../../../src/cli/features/blame/undo.ts'
import { listKeysOf } from '../../../src/core/model/list-keys.ts'
import { diffObjects } from '../../../src/core/model/object-diff.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import { change, type ChangeSeed } from './changes.ts'

const MARK = 'redacted:0123456789abcdef'

interface Container {
  name: string
  image: string
  env?: { name: string; value: string }[]
}

function web(
  containers: readonly Container[],
  over: { replicas?: number; annotations?: Record<string, string>; labels?: Record<string, string> } = {},
): KubernetesObject {
  const { replicas = 3, ...metadata } = over
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-of-web', resourceVersion: '900', ...metadata },
    spec: { replicas, template: { spec: { containers } } },
  }
}

const app = (version: string): Container => ({ name: 'app', image: `nginx:${version}` })
const proxy: Container = { name: 'proxy', image: 'envoy:1' }

/** What taking back the step from the one object to the other does to today's. */
function undo(before: KubernetesObject, after: KubernetesObject, today = after, seed: ChangeSeed = {}) {
  return planUndo(change({ changes: diffObjects(before, after, listKeysOf(before, after)), ...seed }), today)
}

describe('taking a change back', () => {
  it('is a patch that tests the object, the entry and the value before it writes', () => {
    const plan = undo(web([proxy, app('1.24')]), web([proxy, app('1.25')]))
    assert.deepEqual(plan, {
      type: 'patch',
      subresource: '',
      patch: [
        { op: 'test', path: '/metadata/uid', value: 'uid-of-web' },
        { op: 'test', path: '/spec/template/spec/containers/1/name', value: 'app' },
        { op: 'test', path: '/spec/template/spec/containers/1/image', value: 'nginx:1.25' },
        { op: 'replace', path: '/spec/template/spec/containers/1/image', value: 'nginx:1.24' },
      ],
      changes: [
        {
          path: 'spec.template.spec.containers[name=app].image',
          op: 'replace',
          from: 'nginx:1.25',
          to: 'nginx:1.24',
        },
      ],
      already: [],
      conflicts: [],
      warnings: [],
    })
  })

  it('finds an entry by its keys where others were put before it since', () => {
    const plan = undo(web([app('1.24')]), web([app('1.25')]), web([proxy, app('1.25')]))
    assert.equal(plan.type, 'patch')
    assert.deepEqual(plan.type === 'patch' && plan.patch.at(-1), {
      op: 'replace',
      path: '/spec/template/spec/containers/1/image',
      value: 'nginx:1.24',
    })
  })

  it('names what somebody changed since and leaves it, and takes back the rest', () => {
    const before = web([app('1.24')], { replicas: 3 })
    const after = web([app('1.25')], { replicas: 6 })
    const plan = undo(before, after, web([app('1.26')], { replicas: 6 }))
    assert.deepEqual(plan.conflicts, [
      {
        path: 'spec.template.spec.containers[name=app].image',
        obstacle: 'changed',
        left: 'nginx:1.25',
        today: 'nginx:1.26',
      },
    ])
    assert.deepEqual(plan.type === 'patch' && plan.changes, [
      { path: 'spec.replicas', op: 'replace', from: 6, to: 3 },
    ])
  })

  it('says which field of an entry that was put in is another since, and keeps the entry', () => {
    const plan = undo(
      web([app('1.24')]),
      web([proxy, app('1.24')]),
      web([{ ...proxy, image: 'envoy:2' }, app('1.24')]),
    )
    assert.deepEqual(plan.conflicts, [
      {
        path: 'spec.template.spec.containers[name=proxy].image',
        obstacle: 'changed',
        left: 'envoy:1',
        today: 'envoy:2',
      },
    ])
    assert.deepEqual(plan.type === 'patch' && plan.patch, [])
  })

  it('says where what it would change is gone', () => {
    const plan = undo(web([proxy, app('1.24')]), web([proxy, app('1.25')]), web([proxy]))
    assert.deepEqual(plan.conflicts, [
      {
        path: 'spec.template.spec.containers[name=app].image',
        obstacle: 'gone',
        left: 'nginx:1.25',
      },
    ])
  })

  it('leaves what others added to a map that the change brought', () => {
    const plan = undo(
      web([]),
      web([], { labels: { tier: 'front' } }),
      web([], { labels: { tier: 'front', team: 'a' } }),
    )
    assert.deepEqual(plan.conflicts, [])
    assert.deepEqual(plan.type === 'patch' && plan.patch.slice(1), [
      { op: 'test', path: '/metadata/labels/tier', value: 'front' },
      { op: 'remove', path: '/metadata/labels/tier' },
    ])
  })

  it('makes a map again that went with what the change took out', () => {
    const plan = undo(web([], { labels: { 'a/b~c': 'x', y: 'z' } }), web([], { labels: { y: 'z' } }), web([]))
    assert.deepEqual(plan.type === 'patch' && plan.patch.slice(1), [
      { op: 'test', path: '/metadata/resourceVersion', value: '900' },
      { op: 'add', path: '/metadata/labels', value: { 'a/b~c': 'x' } },
    ])
  })

  it('stands on what it puts again not being there, as far as a patch can', () => {
    const without = (generation?: number): KubernetesObject => {
      const { metadata, ...rest } = web([app('1.24')], {
        labels: { a: '1' },
        annotations: { copy: 'secret' },
      })
      return { ...rest, metadata: { ...metadata, ...(generation === undefined ? {} : { generation }) } }
    }
    const whole = web([app('1.24'), proxy], {
      labels: { a: '1', b: '2' },
      annotations: { copy: 'secret', note: 'x' },
    })
    const tests = (today: KubernetesObject) => {
      const plan = undo(whole, today)
      return plan.type === 'patch' ? plan.patch.filter(({ op }) => op === 'test').slice(1) : []
    }
    assert.deepEqual(tests(without(4)), [
      { op: 'test', path: '/metadata/labels', value: { a: '1' } },
      { op: 'test', path: '/metadata/generation', value: 4 },
    ])
    assert.deepEqual(tests(without()), [{ op: 'test', path: '/metadata/resourceVersion', value: '900' }])
  })

  it('does nothing about what is as before already', () => {
    const before = web([app('1.24')])
    const plan = undo(before, web([app('1.25')]), before)
    assert.deepEqual(plan.type === 'patch' && [plan.patch, plan.already], [
      [],
      ['spec.template.spec.containers[name=app].image'],
    ])
  })

  it('cannot bring back what is redacted', () => {
    const withToken = (value: string) => web([{ ...app('1'), env: [{ name: 'TOKEN', value }] }])
    const plan = undo(withToken(MARK), withToken('redacted:fedcba9876543210'), withToken('s3cret'))
    assert.deepEqual(plan.conflicts, [
      { path: 'spec.template.spec.containers[name=app].env[name=TOKEN].value', obstacle: 'redacted' },
    ])
  })

  it('takes out what is redacted, and warns that it cannot tell whether that was changed since', () => {
    const withToken = (value: string) => web([{ ...app('1'), env: [{ name: 'TOKEN', value }] }])
    const plan = undo(web([{ ...app('1'), env: [] }]), withToken(MARK), withToken('s3cret'))
    assert.deepEqual(plan.conflicts, [])
    assert.deepEqual(plan.type === 'patch' && plan.patch.at(-1), {
      op: 'remove',
      path: '/spec/template/spec/containers/0/env/0',
    })
    assert.match(plan.warnings.join(), /env\[name=TOKEN\] is redacted/)
  })

  it('cannot keep an object that is being deleted', () => {
    const before = web([])
    const after = { ...before, metadata: { ...before.metadata, deletionTimestamp: '2026-11-21T11:00:00Z' } }
    assert.deepEqual(undo(before, after).conflicts, [
      { path: 'metadata.deletionTimestamp', obstacle: 'fixed' },
    ])
  })

  it('cannot take an ephemeral container out of its pod', () => {
    const pod = (...ephemeralContainers: object[]) => ({ kind: 'Pod', spec: { ephemeralContainers } })
    const plan = undo(pod(), pod({ name: 'debug' }), undefined, {
      object: { subresource: 'ephemeralcontainers' },
    })
    assert.deepEqual(plan.conflicts, [{ path: 'spec.ephemeralContainers[name=debug]', obstacle: 'fixed' }])
  })

  it("is sent to a pod's resize where that was what was written", () => {
    const plan = planUndo(change({ object: { subresource: 'resize' } }), web([], { replicas: 6 }))
    assert.equal(plan.type === 'patch' && plan.subresource, 'resize')
  })

  it('warns of the GitOps tool that will put its own state back, and of a controller', () => {
    const labels = {
      'kustomize.toolkit.fluxcd.io/name': 'apps',
      'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
    }
    const owned = web([app('1.25')], { labels })
    const today: KubernetesObject = {
      ...owned,
      metadata: {
        ...owned.metadata,
        ownerReferences: [
          { apiVersion: 'acme.example/v1', kind: 'Shop', name: 'main', uid: 'u', controller: true },
        ],
      },
    }
    const { warnings } = undo(web([app('1.24')], { labels }), owned, today)
    assert.match(warnings[0] ?? '', /^Flux owns this object \(Kustomization flux-system\/apps\)/)
    assert.match(warnings[1] ?? '', /^Shop main makes this object/)
  })

  it('names the Application with its namespace, where Argo CD made the change', () => {
    const annotations = { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' }
    const [before, after] = [web([app('1.24')], { annotations }), web([app('1.25')], { annotations })].map(
      (object) => ({ ...object, metadata: { ...object.metadata, annotations } }),
    )
    assert.ok(before && after)
    const via = { tool: 'argo-cd', source: 'Application argocd/shop' }
    assert.match(undo(before, after, after, { via }).warnings.join(), /\(Application argocd\/shop\)/)
    assert.match(undo(before, after, after).warnings.join(), /\(Application shop\)/)
  })

  it('warns where the object of that name is another one by now', () => {
    const today = web([app('1.25')])
    const anew = { ...today, metadata: { ...today.metadata, uid: 'other' } }
    assert.match(undo(web([app('1.24')]), today, anew).warnings.join(), /deleted and created again since/)
  })
})

describe('taking back a change of some lines', () => {
  const settings = (text: string): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web' },
    data: { 'app.conf': text },
  })
  const before = settings('a\nb\nc\nd\n')
  const after = settings('a\nB\nc\nd\n')
  const written = (today: string) => {
    const plan = undo(before, after, settings(today))
    const last = plan.type === 'patch' ? plan.patch.at(-1) : undefined
    return { value: last && 'value' in last ? last.value : undefined, conflicts: plan.conflicts }
  }

  it('leaves other lines as they were changed since', () => {
    assert.deepEqual(written('first\na\nB\nc\nD\n'), { value: 'first\na\nb\nc\nD\n', conflicts: [] })
  })

  it('is a conflict where the line was changed since', () => {
    assert.deepEqual(written('a\nBB\nc\nd\n'), {
      value: undefined,
      conflicts: [{ path: 'data["app.conf"]', obstacle: 'changed', today: 'a\nBB\nc\nd\n' }],
    })
  })

  it('is a conflict where the line stands at several other places', () => {
    assert.equal(written('x\ny\nz\nB\nB\n').conflicts.length, 1)
  })

  it('does nothing where the lines are back', () => {
    assert.deepEqual(written('a\nb\nc\nd\n'), { value: undefined, conflicts: [] })
  })
})

describe('taking back that an object was made or deleted', () => {
  const object = web([app('1.24')])

  it('deletes what was created, and says what is lost with it', () => {
    const created = change({ operation: 'CREATE', changes: diffObjects(undefined, object, listKeysOf()) })
    const plan = planUndo(created, web([app('1.25')]))
    assert.deepEqual(plan, {
      type: 'delete',
      uid: 'uid-of-web',
      conflicts: [],
      warnings: ['1 field changed since it was created: that is lost too'],
    })
  })

  it('deletes no other object of that name', () => {
    const created = change({ operation: 'CREATE', changes: diffObjects(undefined, object, listKeysOf()) })
    const plan = planUndo(created, { ...object, metadata: { ...object.metadata, uid: 'other' } })
    assert.deepEqual(plan.type === 'nothing' && plan.reason, 'another object of that name was created since')
  })

  it('creates what was deleted, without what the API server gives', () => {
    const deleted: KubernetesObject = {
      ...object,
      metadata: {
        ...object.metadata,
        creationTimestamp: '2026-11-01T00:00:00Z',
        deletionTimestamp: '2026-11-21T00:00:00Z',
        generation: 4,
      },
      status: { replicas: 3 },
    }
    const plan = planUndo(
      change({ operation: 'DELETE', changes: diffObjects(deleted, undefined, listKeysOf()) }),
      undefined,
    )
    assert.deepEqual(plan.type === 'create' && plan.object, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: object['spec'],
    })
  })

  it('names the values that a deleted object cannot get back', () => {
    const secret = { kind: 'Secret', metadata: { name: 'db' }, data: { password: MARK, 'user.name': MARK } }
    const plan = planUndo(
      change({ operation: 'DELETE', changes: diffObjects(secret, undefined, listKeysOf()) }),
      undefined,
    )
    assert.deepEqual(plan.conflicts, [
      { path: 'data.password', obstacle: 'redacted' },
      { path: 'data["user.name"]', obstacle: 'redacted' },
    ])
  })

  it('makes a Job creatable again, whose selector holds its old uid', () => {
    const job: KubernetesObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'report', uid: 'u1' },
      spec: {
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u1' } },
        template: { metadata: { labels: { 'batch.kubernetes.io/controller-uid': 'u1', app: 'report' } } },
      },
    }
    const plan = planUndo(
      change({ operation: 'DELETE', changes: diffObjects(job, undefined, listKeysOf()) }),
      undefined,
    )
    assert.deepEqual(plan.type === 'create' && plan.object['spec'], {
      template: { metadata: { labels: { app: 'report' } } },
    })
  })

  it('creates nothing where an object of that name is there', () => {
    const deleted = change({ operation: 'DELETE', changes: diffObjects(object, undefined, listKeysOf()) })
    const anew = { ...object, metadata: { ...object.metadata, uid: 'other' } }
    assert.deepEqual(planUndo(deleted, anew), {
      type: 'nothing',
      reason: 'an object of that name was created again since',
      conflicts: [],
      warnings: [],
    })
  })
})

describe('nothing is to be taken back', () => {
  const cases: readonly (readonly [string, ChangeSeed, RegExp])[] = [
    ['of what was refused', { state: 'not-landed' }, /refused/],
    ['of a try that was repeated', { state: 'superseded' }, /repeated/],
    ['of a connection', { operation: 'CONNECT', object: { subresource: 'exec' } }, /exec/],
    ['of an eviction', { operation: 'CREATE', object: { subresource: 'eviction' } }, /eviction/],
    ['of values that were not kept', { truncated: true }, /too large/],
  ]
  for (const [title, seed, reason] of cases) {
    it(title, () => {
      const plan = planUndo(change(seed), web([]))
      assert.match(plan.type === 'nothing' ? plan.reason : '', reason)
    })
  }

  it('of a change to an object that is gone', () => {
    const plan = planUndo(change(), undefined)
    assert.deepEqual(plan.type === 'nothing' && plan.reason, 'the object is gone')
  })

  it('but a scale is taken back on the object itself', () => {
    const plan = planUndo(change({ object: { subresource: 'scale' } }), web([], { replicas: 6 }))
    assert.deepEqual(plan.type === 'patch' && plan.patch.at(-1), {
      op: 'replace',
      path: '/spec/replicas',
      value: 3,
    })
  })
})
