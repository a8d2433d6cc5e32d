import assert from 'node:assert/strict'
import {
  consequenceLines,
  consequencesOf,
  foldChanges,
  type FoldedChange,
} from '../../../src/cli/features/blame/fold.ts'
import { change, replaced, type ChangeSeed } from './changes.ts'
import { lines, listText } from './screen.ts'

const GC = 'system:serviceaccount:kube-system:generic-garbage-collector'
const DEPLOYMENTS = 'system:serviceaccount:kube-system:deployment-controller'

const caused = (by: string, seed: ChangeSeed) =>
  change({
    ...seed,
    actor: 'control-plane',
    cause: { type: 'owner', change: by, object: 'Deployment web', username: 'dev-1' },
  })
const pod = (name: string) => ({ kind: 'Pod', resource: 'pods', group: '', name })
const deletedPod = (name: string) =>
  caused('rs', {
    id: `pod-${name}`,
    ago: 3,
    user: GC,
    via: { manager: '', tool: 'kubernetes' },
    operation: 'DELETE',
    changes: [],
    object: pod(name),
  })

/** What `kubectl delete deployment web` leads to, the newest first. */
const CASCADE = [
  deletedPod('a'),
  deletedPod('b'),
  deletedPod('b'),
  deletedPod('c'),
  caused('root', {
    id: 'rs',
    ago: 3,
    user: DEPLOYMENTS,
    via: { manager: '', tool: 'kubernetes' },
    operation: 'DELETE',
    changes: [],
    object: { kind: 'ReplicaSet', resource: 'replicasets', name: 'web-7d9c5b' },
  }),
  change({ id: 'root', ago: 4, operation: 'DELETE', changes: [] }),
]

describe('consequences of a change', () => {
  const names = (folded: readonly FoldedChange[]): unknown[] =>
    folded.map(({ change: { metadata }, consequences }) =>
      consequences.length === 0 ? metadata?.name : [metadata?.name, ...names(consequences)],
    )

  it('stand under it, and theirs under them', () => {
    assert.deepEqual(names(foldChanges(CASCADE)), [['root', ['rs', 'pod-a', 'pod-b', 'pod-b', 'pod-c']]])
  })

  it('stay for themselves where what led to them is not in the list', () => {
    const some = CASCADE.filter(({ metadata }) => metadata?.name !== 'rs')
    assert.deepEqual(names(foldChanges(some)), ['pod-a', 'pod-b', 'pod-b', 'pod-c', 'root'])
  })

  it('never get lost in a circle', () => {
    const circle = [caused('b', { id: 'a' }), caused('a', { id: 'b' }), caused('a', { id: 'c' })]
    assert.deepEqual(new Set(names(foldChanges(circle)).flat()), new Set(['a', 'b', 'c']))
    assert.deepEqual(names(foldChanges([caused('a', { id: 'a' })])), ['a'])
  })

  it('are counted by what happened to what and by whom, each object once', () => {
    const [root] = foldChanges(CASCADE)
    assert.deepEqual(consequenceLines(root?.consequences ?? []), [
      '+ replicaset/web-7d9c5b deleted by the deployment controller',
      '+ 3 pods deleted by the garbage collector',
    ])
  })

  it('are few lines, however many there are', () => {
    const many = Array.from({ length: 9 }, (_, i) =>
      caused('root', { id: `c${i}`, user: GC, operation: 'DELETE', object: { kind: `Kind${i}`, name: 'x' } }),
    )
    const [root] = foldChanges([...many, change({ id: 'root' })])
    assert.deepEqual(consequenceLines(root?.consequences ?? []), [
      '+ kind0/x deleted by the garbage collector',
      '+ kind1/x deleted by the garbage collector',
      '+ kind2/x deleted by the garbage collector',
      '+ 6 more consequences',
    ])
    assert.deepEqual(consequenceLines([]), [])
  })

  it('are found among others of the namespace', () => {
    const others = [...CASCADE.slice(0, 5), change({ id: 'x' }), deletedPod('d')]
    assert.deepEqual(
      consequencesOf(CASCADE.slice(5), others).map(({ metadata }) => metadata?.name),
      ['rs', 'pod-a', 'pod-b', 'pod-b', 'pod-c', 'pod-d'],
    )
    assert.deepEqual(consequencesOf(CASCADE, CASCADE), [])
  })

  it('are a line or two of the row of the change', () => {
    assert.equal(
      listText({ changes: CASCADE, extra: { recordingSince: '', gaps: [] } }),
      lines(`
        deployment/web in shop: 1 change
        AGE  WHO                VIA           CHANGE
        4m   dev-1@example.org  kubectl-edit  deleted
                                              + replicaset/web-7d9c5b deleted by the deployment controller
                                              + 3 pods deleted by the garbage collector
        2> More: -f diff, -f yaml (a name at each line), --consequences, -o wide (ids)
      `),
    )
  })

  it('unfold into rows of their own', () => {
    const changes = [
      ...CASCADE.slice(3),
      change({ id: 'old', ago: 9, changes: [replaced('spec.replicas', 1, 3)] }),
    ]
    assert.equal(
      listText({ changes, extra: { recordingSince: '', gaps: [] }, unfold: true }),
      lines(`
        deployment/web in shop: 2 changes, newest first
        AGE  WHO                          VIA           CHANGE
        4m   dev-1@example.org            kubectl-edit  deleted
        3m     the deployment controller                replicaset/web-7d9c5b deleted
        3m       the garbage collector                  pod/c deleted
        9m   dev-1@example.org            kubectl-edit  scaled 1 → 3
        2> More: -f diff, -f yaml (a name at each line), -o wide (ids)
      `),
    )
  })
})
