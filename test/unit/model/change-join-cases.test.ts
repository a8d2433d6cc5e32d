import assert from 'node:assert/strict'
import type { JoinDecision, ReviewFacts, Transition } from '../../../src/core/model/change-facts.ts'
import { ChangeJoin } from '../../../src/core/model/change-join.ts'
import { UnwatchedJoin } from '../../../src/core/model/change-join-unwatched.ts'
import { mayHaveLanded } from '../../../src/core/model/unseen-change.ts'
import { JoinWorld } from './change-join-world.ts'

const RESOURCE = 'deployments.apps'
const START = 1_000_000

function aReview(id: number, facts: Partial<ReviewFacts> = {}): ReviewFacts {
  return {
    id: `1-${id}`,
    time: START + id,
    operation: 'UPDATE',
    subresource: '',
    resource: RESOURCE,
    uid: 'u1',
    name: 'shop/web',
    oldVersion: '10',
    oldHash: 'h10',
    oldContent: 'c10',
    newHash: 'h11',
    newContent: 'c11',
    replicas: undefined,
    ends: false,
    finishes: false,
    user: { username: 'alice', groups: [], extra: {} },
    paths: 'spec.image',
    truncated: false,
    ...facts,
  }
}

function aTransition(facts: Partial<Transition> = {}): Transition {
  return {
    resource: RESOURCE,
    uid: 'u1',
    name: 'shop/web',
    time: START + 100,
    previous: { version: '10', hash: 'h10', content: 'c10' },
    next: { version: '11', hash: 'h11', content: 'c11' },
    gone: false,
    deletion: false,
    replicas: { from: 1, to: 1 },
    subresource: '',
    skipped: false,
    silent: undefined,
    mark: 0,
    ...facts,
  }
}

function watchingJoin(): ChangeJoin<Transition> {
  const join = new ChangeJoin<Transition>()
  join.watching(RESOURCE, 0)
  return join
}

const told = (decisions: readonly JoinDecision[]): string[] =>
  decisions.map((decision) =>
    decision.type === 'review'
      ? `${decision.review.id} ${decision.state}${decision.version === undefined ? '' : ` ${decision.version}`}`
      : decision.type === 'transition'
        ? `${decision.transition.next.version} ${decision.verdict}`
        : `${decision.transition.next.version} named`,
  )

describe('the join, case by case', () => {
  it('twenty who race on one object give twenty confirmed changes of many more reviews', () => {
    const world = new JoinWorld()
    for (const _ of world.create('alice', 'shop/web', 0, false)) world.now += 1
    let writers = Array.from({ length: 20 }, (_, index) =>
      world.update(`user-${index}`, 'shop/web', `field-${index}`, 1, false),
    )
    // All look first, then all try to write: one of each round gets through.
    for (; writers.length > 0; world.now += 1)
      writers = writers.filter((writer) => writer.next().done !== true)
    const join = watchingJoin()
    for (const review of world.reviews) join.review(review, true)
    for (const transition of world.transitions) join.transition(transition, world.now)
    const decisions = [...join.decide(world.now, 1e9), ...join.decide(world.now + 40_000, 1e9)]
    const confirmed = decisions.flatMap((decision) =>
      decision.type === 'review' && decision.state === 'confirmed' ? [decision] : [],
    )
    assert.equal(confirmed.length, world.landed.length)
    assert.ok(world.reviews.length > 2 * world.landed.length)
    for (const { user, version } of world.landed) {
      assert.equal(confirmed.find((one) => one.version === version)?.review.user.username, user)
    }
  })

  it('a change without a review is nobody\u2019s only when the journal was read up to it, and 5 s later', () => {
    const join = watchingJoin()
    join.transition(aTransition({ mark: 7 }), START)
    assert.deepEqual(join.decide(START + 60_000, 6), [])
    assert.deepEqual(told(join.decide(START + 60_000, 7)), ['11 unattributed'])
    join.transition(aTransition({ uid: 'u2', mark: 7 }), START + 70_000)
    assert.deepEqual(join.decide(START + 74_999, 7), [])
    assert.deepEqual(told(join.decide(START + 75_000, 7)), ['11 unattributed'])
  })

  it('a review that comes after all gives an unattributed change its name', () => {
    const join = watchingJoin()
    join.transition(aTransition(), START)
    assert.deepEqual(told(join.decide(START + 6000, 0)), ['11 unattributed'])
    join.review(aReview(1), true)
    assert.deepEqual(told(join.decide(START + 20_000, 1)), ['1-1 confirmed 11', '11 named'])
  })

  it('a write that lands after it was given up is confirmed', () => {
    const join = watchingJoin()
    join.review(aReview(1), true)
    assert.deepEqual(told(join.decide(START + 31_000, 1)), ['1-1 not-landed'])
    join.transition(aTransition({ time: START + 33_000 }), START + 33_000)
    assert.deepEqual(told(join.decide(START + 33_000, 1)), ['1-1 confirmed 11', '11 attributed'])
  })

  it('nothing is given up while the watch is down', () => {
    const join = watchingJoin()
    join.review(aReview(1), true)
    join.watching(RESOURCE, undefined)
    assert.deepEqual(join.decide(START + 300_000, 1), [])
    join.watching(RESOURCE, START + 300_000)
    assert.deepEqual(join.decide(START + 329_000, 1), [])
    assert.deepEqual(told(join.decide(START + 360_001, 1)), ['1-1 not-landed'])
  })

  it('two users who asked for the same at one version are both named', () => {
    const join = watchingJoin()
    join.review(aReview(1), true)
    join.review(aReview(2, { user: { username: 'bob', groups: [], extra: {} } }), true)
    join.transition(aTransition(), START)
    const [first, second] = join.decide(START, 2)
    assert.ok(first?.type === 'review' && first.state === 'ambiguous')
    assert.deepEqual(
      first.candidates.map(({ username }) => username),
      ['alice', 'bob'],
    )
    assert.ok(second?.type === 'review' && second.state === 'superseded')
  })

  it('a review that claims to be from after the change does not explain it', () => {
    const join = watchingJoin()
    join.transition(aTransition(), START + 100)
    join.review(aReview(1, { time: START + 5000 }), true)
    assert.deepEqual(told(join.decide(START + 5200, 1)), ['11 unattributed'])
  })

  it('an eviction is confirmed by the deletion of its pod, a refused one is not', () => {
    const join = watchingJoin()
    const eviction = {
      operation: 'DELETE',
      subresource: 'eviction',
      uid: '',
      oldVersion: '',
      newHash: '',
    } as const
    join.review(aReview(1, eviction), true)
    join.review(aReview(2, { ...eviction, name: 'shop/kept' }), true)
    join.transition(aTransition({ deletion: true, silent: 'excluded' }), START)
    assert.deepEqual(told(join.decide(START, 2)), ['1-1 confirmed 11', '11 attributed'])
    assert.deepEqual(told(join.decide(START + 31_000, 2)), ['1-2 not-landed'])
  })

  it('a review too large to be compared is admitted where its object changed', () => {
    const join = watchingJoin()
    const large = { truncated: true, uid: '', oldVersion: '', newHash: '', newContent: '' } as const
    join.review(aReview(1, large), true)
    join.transition(aTransition(), START)
    assert.deepEqual(told(join.decide(START, 1)), ['1-1 admitted 11', '11 attributed'])
  })

  it('the node that ends a pod does not appear beside who deleted it', () => {
    const join = watchingJoin()
    const gone = { operation: 'DELETE', newHash: '', paths: '' } as const
    join.review(aReview(1, gone), true)
    join.transition(aTransition({ deletion: true }), START)
    const node = { username: 'system:node:a', groups: [], extra: {} }
    join.review(aReview(2, { ...gone, oldVersion: '11', finishes: true, user: node }), true)
    const previous = { version: '11', hash: 'h11', content: 'c11' }
    join.transition(aTransition({ previous, gone: true, silent: 'finished' }), START)
    assert.deepEqual(told(join.decide(START, 2)), [
      '1-1 confirmed 11',
      '11 attributed',
      '1-2 superseded',
      '11 attributed',
    ])
  })

  it('too many open reviews: those that fit no object go first', () => {
    const join = new ChangeJoin<Transition>({ maxOpen: 2 })
    join.watching(RESOURCE, 0)
    join.review(aReview(1), true)
    join.review(aReview(2, { uid: 'made-up' }), false)
    join.review(aReview(3, { uid: 'u3' }), true)
    assert.deepEqual(told(join.decide(START, 3)), ['1-2 not-landed'])
    join.transition(aTransition(), START)
    assert.deepEqual(told(join.decide(START, 3)), ['1-1 confirmed 11', '11 attributed'])
  })

  it('a list that was read again: who wrote in between is known by the next one\u2019s old object', () => {
    const join = watchingJoin()
    join.review(aReview(1), true)
    const bob = { username: 'bob', groups: [], extra: {} }
    join.review(
      aReview(2, {
        user: bob,
        oldVersion: '11',
        oldHash: 'h11',
        oldContent: 'c11',
        newHash: 'h12',
        newContent: 'c12',
      }),
      true,
    )
    const next = { version: '12', hash: 'h12', content: 'c12' }
    join.transition(aTransition({ next, skipped: true }), START)
    assert.deepEqual(told(join.decide(START, 2)).toSorted(), [
      '1-1 confirmed 11',
      '1-2 confirmed 12',
      '12 attributed',
    ])
  })

  it('a list that was read again: what began before it explains nothing in it', () => {
    const join = watchingJoin()
    const carol = { username: 'carol', groups: [], extra: {} }
    join.review(aReview(1, { user: carol, newHash: 'other', newContent: 'c13' }), true)
    join.review(
      aReview(2, {
        oldVersion: '13',
        oldHash: 'h13',
        oldContent: 'c13',
        newHash: 'h14',
        newContent: 'c14',
      }),
      true,
    )
    const previous = { version: '12', hash: 'h12', content: 'c12' }
    const next = { version: '14', hash: 'h14', content: 'c14' }
    join.transition(aTransition({ previous, next, skipped: true }), START)
    const decisions = told([...join.decide(START, 2), ...join.decide(START + 40_000, 2)])
    assert.deepEqual(decisions, ['1-2 confirmed 14', '14 unattributed', '1-1 not-landed'])
  })

  it('a list that was read again: what may have landed before is not called refused', () => {
    const join = watchingJoin()
    const unseen = aReview(1, { newHash: 'h13', newContent: 'c13' })
    join.review(unseen, true)
    const previous = { version: unseen.oldVersion, hash: 'h12', content: 'c12' }
    const next = { version: '14', hash: 'h14', content: 'c14' }
    join.transition(aTransition({ previous, next, skipped: true }), START)
    const decisions = [...join.decide(START, 1), ...join.decide(START + 40_000, 1)]
    const decision = decisions.find(({ type }) => type === 'review')
    assert.ok(decision?.type === 'review' && mayHaveLanded(decision), JSON.stringify(decision))
  })

  it('a list that was read again: what nobody reviewed is told, beside what has a name', () => {
    const join = watchingJoin()
    join.review(aReview(1, { oldVersion: '13', oldHash: 'h13', oldContent: 'c13', newHash: 'h14' }), true)
    const next = { version: '14', hash: 'h14', content: 'c11' }
    join.transition(aTransition({ next, skipped: true }), START)
    assert.deepEqual(told(join.decide(START, 1)), ['1-1 confirmed 14'])
    const [decision] = join.decide(START + 5000, 1)
    assert.ok(decision?.type === 'transition' && decision.verdict === 'unattributed')
    assert.deepEqual(decision.named, { first: [], last: ['1-1'] })
  })
})

describe('the join where there is one witness', () => {
  const tell = (join: UnwatchedJoin, review: ReviewFacts): string[] => told(join.review(review))

  it('admits at once and confirms by the next review\u2019s old object', () => {
    const join = new UnwatchedJoin()
    assert.deepEqual(tell(join, aReview(1)), ['1-1 admitted'])
    const next = aReview(2, { oldVersion: '11', oldHash: 'h11', newHash: 'h12', paths: 'data.b' })
    assert.deepEqual(tell(join, next), ['1-1 confirmed 11', '1-2 admitted'])
  })

  it('shows one of a user\u2019s tries', () => {
    const join = new UnwatchedJoin()
    tell(join, aReview(1))
    const again = aReview(2, { oldVersion: '12', oldHash: 'h12', newHash: 'h13' })
    assert.deepEqual(tell(join, again), ['1-1 superseded', '1-2 admitted'])
  })

  it('takes back what lost against another at the same version', () => {
    const join = new UnwatchedJoin()
    const bob = { username: 'bob', groups: [], extra: {} }
    tell(join, aReview(1))
    tell(join, aReview(2, { user: bob, newHash: 'h11b', paths: 'data.b' }))
    const later = aReview(3, { oldVersion: '11', oldHash: 'h11b', paths: 'data.c' })
    assert.deepEqual(tell(join, later), ['1-2 confirmed 11', '1-1 not-landed', '1-3 admitted'])
  })

  it('a CREATE is confirmed by its uid, and one of a name that was taken is not shown', () => {
    const join = new UnwatchedJoin()
    const create = { operation: 'CREATE', oldVersion: '', oldHash: '', oldContent: '', paths: '' } as const
    tell(join, aReview(1, create))
    assert.deepEqual(tell(join, aReview(2, { oldHash: 'other' })), ['1-1 confirmed', '1-2 admitted'])
    assert.deepEqual(tell(join, aReview(3, { ...create, uid: 'u2' })), ['1-3 not-landed'])
    const removed = { operation: 'DELETE', newHash: '', newContent: '', paths: '' } as const
    tell(join, aReview(4, { ...removed, oldVersion: '11' }))
    assert.deepEqual(tell(join, aReview(5, { ...create, uid: 'u3' })), ['1-5 admitted'])
  })
})
