import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { JoinDecision, ReviewFacts, Transition } from '../../../src/core/model/change-facts.ts'
import { ChangeJoin } from '../../../src/core/model/change-join.ts'
import { JoinWorld } from './change-join-world.ts'

type ReviewDecision = Extract<JoinDecision, { type: 'review' }>

const RESOURCE = 'deployments.apps'
const LANDED = new Set(['confirmed', 'ambiguous', 'admitted'])

/** What people and controllers do, in which order, and how the two streams come. */
interface Story {
  readonly acts: readonly Act[]
  readonly schedule: readonly number[]
  readonly arrival: readonly number[]
}

interface Act {
  readonly type:
    'update' | 'scale' | 'create' | 'remove' | 'finalize' | 'status' | 'excluded' | 'missed' | 'forge'
  readonly user: string
  readonly name: string
  readonly field: string
  readonly value: number
  readonly refused: boolean
}

const anAct = (types: readonly Act['type'][]): fc.Arbitrary<Act> =>
  fc.record({
    type: fc.constantFrom(...types),
    user: fc.constantFrom('alice', 'bob', 'carol'),
    name: fc.constantFrom('shop/a', 'shop/b'),
    field: fc.constantFrom('image', 'env'),
    value: fc.integer({ min: 0, max: 3 }),
    refused: fc.integer({ min: 0, max: 7 }).map((dice) => dice === 0),
  })

const aStory = (types: readonly Act['type'][]): fc.Arbitrary<Story> =>
  fc.record({
    acts: fc.array(anAct(types), { minLength: 1, maxLength: 40 }),
    schedule: fc.array(fc.nat(), { minLength: 1, maxLength: 60 }),
    arrival: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 60 }),
  })

const WRITES: readonly Act['type'][] = ['update', 'update', 'update', 'scale', 'create', 'remove', 'finalize']
const UNSEEN: readonly Act['type'][] = ['status', 'excluded', 'missed', 'forge']

function play(story: Story): JoinWorld {
  const world = new JoinWorld()
  for (const name of ['shop/a', 'shop/b']) {
    for (const _ of world.create('alice', name, name === 'shop/a' ? 1 : 0, false)) world.now += 3
  }
  const waiting = story.acts.map((act) => begin(world, act))
  // At most four writers at once, in an order of their own.
  for (let turn = 0; waiting.length > 0; turn += 1) {
    const pick = (story.schedule[turn % story.schedule.length] ?? 0) % Math.min(4, waiting.length)
    if (waiting[pick]?.next().done === true) waiting.splice(pick, 1)
    world.now += 1 + (pick % 3) * 40
  }
  return world
}

function begin(world: JoinWorld, act: Act): Generator<void, void> {
  switch (act.type) {
    case 'update':
      return world.update(act.user, act.name, act.field, act.value, act.refused)
    case 'scale':
      return world.scale(act.user, act.name, act.value, act.refused)
    case 'create':
      return world.create(act.user, act.name, act.value % 2, act.refused)
    case 'remove':
      return world.remove(act.user, act.name, act.refused)
    case 'finalize':
      return world.finalize(act.user, act.name)
    case 'status':
    case 'excluded':
    case 'missed':
      return world.unseen(act.name, act.type, act.value)
    case 'forge':
      return world.forge(act.name, act.value)
    default:
      return act.type satisfies never
  }
}

/** Brings both streams to a join, each in its order, neither in step with the other; what was decided last counts. */
function join(world: JoinWorld, transitions: readonly Transition[], arrival: readonly number[]) {
  const machine = new ChangeJoin<Transition>()
  machine.watching(RESOURCE, 0)
  const reviews = new Map<string, ReviewDecision>()
  const unnamed = new Map<Transition, string>()
  let [read, seen, turn] = [0, 0, 0]
  let { now } = world
  const decide = (): void => {
    for (const decision of machine.decide(now, read)) {
      if (decision.type === 'review') reviews.set(decision.review.id, decision)
      else if (decision.type === 'named') unnamed.delete(decision.transition)
      else if (decision.verdict === 'unattributed') unnamed.set(decision.transition, decision.verdict)
    }
  }
  while (read < world.reviews.length || seen < transitions.length) {
    const step = arrival[turn++ % arrival.length] ?? 0
    const [review, transition] = [world.reviews[read], transitions[seen]]
    if (review && (step < 3 || !transition)) {
      machine.review(review, true)
      read += 1
    } else if (transition) {
      machine.transition(transition, now)
      seen += 1
    }
    if (step % 2 === 0) decide()
    now += 1 + step
  }
  for (const ms of [0, 5000, 1000, 31_000, 1000]) {
    now += ms
    decide()
  }
  assert.equal(machine.waiting, 0)
  now += 200_000
  decide()
  assert.equal(machine.held, 0)
  return { reviews, unnamed }
}

/** Runs of writes of one object whose steps nobody told: as after a list that was read again. */
function relisted(transitions: readonly Transition[], arrival: readonly number[]): Transition[] {
  const merged: Transition[] = []
  for (const [index, transition] of transitions.entries()) {
    const last = merged.findLastIndex(({ uid }) => uid === transition.uid)
    const before = merged[last]
    if (!before || before.gone || (arrival[index % arrival.length] ?? 0) < 3) {
      merged.push(transition)
      continue
    }
    const unchanged = before.previous?.content === transition.next.content
    merged.splice(last, 1)
    merged.push({
      ...transition,
      previous: before.previous,
      skipped: true,
      deletion: before.deletion || transition.deletion,
      replicas: { from: before.replicas.from, to: transition.replicas.to },
      silent: unchanged && !transition.gone ? 'noise' : undefined,
    })
  }
  return merged
}

const asked = ({ user, uid, operation, paths }: ReviewFacts): string =>
  JSON.stringify([user.username, uid, operation, paths])

const sorted = (values: readonly (string | undefined)[]): string[] =>
  values.map((value) => value ?? '').toSorted((one, other) => one.localeCompare(other))

describe('the join of the two witnesses', () => {
  it('confirms each landed write once, in the name of its writer, and nothing else', () => {
    fc.assert(
      fc.property(aStory([...WRITES, ...UNSEEN]), (story) => {
        const world = play(story)
        const { reviews, unnamed } = join(world, world.transitions, story.arrival)
        const shown = [...reviews.values()].filter(({ state }) => LANDED.has(state))
        const written = world.landed.filter(({ review }) => review !== undefined)
        assert.deepEqual(
          sorted(shown.map(({ version }) => version)),
          sorted(written.map(({ version }) => version)),
        )
        for (const { version, user, review } of written) {
          const found = shown.find((decision) => decision.version === version)
          assert.ok(found)
          if (found.state === 'ambiguous') {
            assert.ok(found.candidates.some(({ username }) => username === user))
          } else {
            assert.equal(found.state, 'confirmed')
            assert.equal(found.review.user.username, user)
          }
          assert.ok(review !== undefined)
        }
        assert.deepEqual(
          sorted([...unnamed.keys()].map(({ next }) => next.version)),
          sorted(world.landed.flatMap(({ kind, version }) => (kind === 'missed' ? [version] : []))),
        )
        for (const { id } of world.reviews) assert.ok(reviews.has(id), `${id} was never decided`)
      }),
      { numRuns: 400 },
    )
  })

  it('tells writes as ambiguous only where two users asked for the same at one version', () => {
    fc.assert(
      fc.property(aStory(WRITES), (story) => {
        const world = play(story)
        const { reviews } = join(world, world.transitions, story.arrival)
        for (const { state, review } of reviews.values()) {
          if (state !== 'ambiguous') continue
          const alike = world.reviews.filter(
            (other) =>
              other.uid === review.uid &&
              other.oldVersion === review.oldVersion &&
              (other.newHash === review.newHash || (other.ends && review.ends)) &&
              other.replicas === review.replicas &&
              other.operation === review.operation,
          )
          assert.ok(new Set(alike.map(({ user }) => user.username)).size > 1)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('confirms nothing that did not land where writes were skipped, and always knows the last one', () => {
    fc.assert(
      fc.property(aStory([...WRITES, 'status', 'forge']), (story) => {
        const world = play(story)
        const transitions = relisted(world.transitions, story.arrival)
        const { reviews } = join(world, transitions, story.arrival)
        for (const { state, review, version } of reviews.values()) {
          if (state !== 'confirmed') continue
          const landed = world.landed.find((other) => other.review === review.id)
          if (landed) {
            assert.ok(version === undefined || version === landed.version)
            continue
          }
          // Another try of the same user, which asked for the same, was taken for the one that landed.
          const twin = world.landed.find((other) => {
            const tried = world.reviews.find(({ id }) => id === other.review)
            return (
              tried && asked(tried) === asked(review) && (version === undefined || version === other.version)
            )
          })
          assert.ok(twin, `${review.id} is confirmed and did not land`)
        }
        for (const { next, uid, silent } of transitions) {
          const last = world.landed.find(({ version }) => version === next.version)
          if (last?.kind !== 'write' || silent !== undefined) continue
          // What was there before may have been made again, which no one can see.
          const made = world.transitions.filter(
            (other) => other.uid === uid && other.next.content === next.content,
          )
          // Nor what a scale did among other writes: its review holds no object.
          const scaled = world.reviews.some(({ id, subresource }) => id === last.review && subresource !== '')
          if (made.length > 1 || scaled) continue
          const named = [...reviews.values()].find(
            ({ review, version, state, candidates }) =>
              review.uid === uid &&
              LANDED.has(state) &&
              (version === undefined || version === next.version) &&
              [review.user, ...candidates].some(({ username }) => username === last.user),
          )
          assert.ok(named, `nobody for ${next.version}`)
        }
      }),
      { numRuns: 400 },
    )
  })
})
