import type { ImageTransition } from './image-graph.ts'

/**
 * The same transitions, each at its place, with what an image only seemed to do, to go and to come again or the other
 * way round, told as a change of its users: what the difference between two lists did, which names no moment in between.
 */
export function netEffect(transitions: readonly ImageTransition[]): ImageTransition[] {
  const settled = [...transitions]
  const last = new Map<string, number>()
  for (const [i, transition] of settled.entries()) {
    const { op, image } = transition
    if (op !== '+' && op !== '-') continue
    const at = last.get(image)
    const before = at === undefined ? undefined : settled[at]
    if (at === undefined || !before) {
      last.set(image, i)
      continue
    }
    // Of one image `+` and `-` take turns: each undoes the one before.
    settled[at] = { ...before, op: before.op === '+' ? '+=' : '-=' }
    settled[i] = { ...transition, op: op === '+' ? '+=' : '-=' }
    last.delete(image)
  }
  return settled
}
