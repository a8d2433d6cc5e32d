import assert from 'node:assert/strict'
import type { ImageEvent } from '../../src/core/wire/image.ts'
import type { RecordedStep } from './companion-churn-record.ts'

/** Throws where the numbers of events do not rise, or an object says two things of its number. */
export function expectRising(events: readonly ImageEvent[]): void {
  let last = 0
  for (const { metadata } of events) {
    const number = Number(metadata?.resourceVersion)
    assert.ok(number > last, `${number} comes after ${last}`)
    assert.equal(metadata?.name, String(number))
    last = number
  }
}

/** Adds events up to the images in use; throws where one comes that is there, or one goes that is not. */
export function foldEvents(events: readonly Pick<ImageEvent, 'op' | 'image' | 'pod'>[]): Set<string> {
  const inUse = new Set<string>()
  for (const { op, image, pod } of events) {
    const what = `${op} ${image} of ${pod.namespace}/${pod.name}`
    if (op === '+') {
      assert.ok(!inUse.has(image), `${what}, which is in use already`)
      inUse.add(image)
    } else assert.ok(inUse.delete(image), `${what}, which is not in use`)
  }
  return inUse
}

/**
 * Throws unless the events tell the steps: each step by its own events and in its order, but for at most `gaps` times in
 * which nobody was looking, which are told by their net difference, late.
 */
export function expectTold(
  events: readonly ImageEvent[],
  steps: readonly RecordedStep[],
  gaps: number,
): void {
  const furthest = { event: 0, step: 0 }
  if (explains(0, 0, gaps)) return
  const near = (list: readonly unknown[], at: number): string =>
    JSON.stringify(list.slice(Math.max(0, at - 3), at + 6), undefined, 1)
  assert.fail(
    `the events do not tell what happened: event ${furthest.event} of ${events.length}, step ${furthest.step} of ` +
      `${steps.length}, ${gaps} gaps\nevents: ${near(events.map(brief), furthest.event)}\nsteps: ${near(steps, furthest.step)}`,
  )

  function explains(firstEvent: number, firstStep: number, gapsLeft: number): boolean {
    let [event, step] = [firstEvent, firstStep]
    for (;;) {
      const length = steps[step]?.length ?? 0
      if (length === 0 || !isStep(events.slice(event, event + length), steps[step] ?? [])) break
      event += length
      step += 1
    }
    if (event + step > furthest.event + furthest.step) Object.assign(furthest, { event, step })
    if (event === events.length && step === steps.length) return true
    // What looks like a step may be the first of a late difference.
    for (; ; event -= steps[--step]?.length ?? 0) {
      if (gapsLeft === 0) return false
      const net = new Map<string, '+' | '-'>()
      for (let to = step; to < steps.length; to += 1) {
        addNet(net, steps[to] ?? [])
        const told = events.slice(event, event + net.size)
        if (told.length < net.size || !told.every(({ late, op, image }) => late && net.get(image) === op))
          continue
        if (explains(event + net.size, to + 1, gapsLeft - 1)) return true
      }
      if (step === firstStep || !events[event - 1]?.late) return false
    }
  }
}

function isStep(events: readonly ImageEvent[], step: RecordedStep): boolean {
  const told = events.map(({ op, image, pod }) => `${op} ${image} ${pod.uid}`)
  const done = step.map(({ op, image, uid }) => `${op} ${image} ${uid}`)
  return told.toSorted().join() === done.toSorted().join()
}

/** What came and went, or went and came, is as if it had never been. */
function addNet(net: Map<string, '+' | '-'>, step: RecordedStep): void {
  for (const { op, image } of step) if (!net.delete(image)) net.set(image, op)
}

function brief({ op, image, pod, late, metadata }: ImageEvent): string {
  return `${metadata?.name} ${op} ${image} ${pod.uid}${late ? ' late' : ''}`
}
