import assert from 'node:assert/strict'
import type { ImageEvent } from '../../../src/core/wire/image.ts'
import { expectRising, expectTold, foldEvents } from '../../kit/companion-churn-check.ts'
import type { RecordedStep } from '../../kit/companion-churn-record.ts'

/** `+a` live, `+a!` late; the pod is `pod-a`. */
function eventsOf(text: string): ImageEvent[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map((word, i) => ({
      apiVersion: 'deckwatch.dev/v1alpha1',
      kind: 'ClusterImageEvent',
      metadata: { name: String(i + 1), resourceVersion: String(i + 1) },
      op: word.startsWith('+') ? '+' : '-',
      image: word.slice(1, 2),
      pod: { namespace: 'shop', name: 'p', uid: `pod-${word.slice(1, 2)}` },
      time: '2026-11-21T11:04:05.678Z',
      late: word.endsWith('!'),
    }))
}

function stepsOf(text: string): RecordedStep[] {
  return text.split(' ').map((step) =>
    step.split(',').map((word) => ({
      op: word.startsWith('+') ? '+' : '-',
      image: word.slice(1),
      uid: `pod-${word.slice(1)}`,
    })),
  )
}

describe('the check of a journal against a record', () => {
  for (const [events, steps, gaps] of [
    ['+a +b -a', '+a +b -a', 0],
    ['+b -a', '-a,+b', 0],
    ['+a +c! +b! -a', '+a +b +c -a', 1],
    ['+a -a! +d', '+a +b -b -a +d', 1],
    ['+a +d', '+a +b -b +d', 1],
    ['+a +b! +c +d!', '+a +e -e +b +c +d', 2],
    ['', '+a -a', 1],
  ] as const) {
    it(`takes ${events || 'nothing'} for ${steps} with ${gaps} gaps`, () => {
      expectTold(eventsOf(events), stepsOf(steps), gaps)
    })
  }

  for (const [what, events, steps, gaps] of [
    ['a lost one', '+a -a', '+a +b -a', 0],
    ['a doubled one', '+a -a +a', '+a -a', 1],
    ['a wrong order', '+b +a', '+a +b', 0],
    ['an unsaid gap', '+a +b +d', '+a +b -b +c +d', 1],
    ['a difference that is not late', '+c +b', '+b +c', 1],
    ['one gap too many', '+a +c! +b! +d +f! +e!', '+a +b +c +d +e +f', 1],
    ['one that never was', '+a +z!', '+a +b', 1],
  ] as const) {
    it(`finds ${what}`, () => {
      assert.throws(() => expectTold(eventsOf(events), stepsOf(steps), gaps), /do not tell/)
    })
  }

  it('finds events that do not follow from each other', () => {
    assert.throws(() => foldEvents(eventsOf('+a +a')), /in use already/)
    assert.throws(() => foldEvents(eventsOf('-a')), /not in use/)
    const [one, two] = eventsOf('+a +b')
    assert.throws(() => expectRising([two, one].flatMap((event) => event ?? [])), /comes after/)
    assert.deepEqual([...foldEvents(eventsOf('+a +b -a'))], ['b'])
  })
})
