import type { ImageTransition } from './image-graph.ts'

/**
 * The same transitions, each at its place, with what an image only seemed to do, to go and to come again, told as a
 * change of its users: what the difference between two lists did, which names no moment in between.
 */
export function netEffect(transitions: readonly ImageTransition[]): ImageTransition[] {
  const settled = [...transitions]
  const gone = new Map<string, number>()
  for (const [i, transition] of settled.entries()) {
    const { op, image } = transition
    const wentAt = gone.get(image)
    if (op === '-') gone.set(image, i)
    const went = wentAt === undefined ? undefined : settled[wentAt]
    if (op !== '+' || wentAt === undefined || !went) continue
    settled[wentAt] = { ...went, op: '-=' }
    settled[i] = { ...transition, op: '+=' }
    gone.delete(image)
  }
  return settled
}
