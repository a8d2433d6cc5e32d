import type { Change } from '../wire/change.ts'

/** The reason of a change that nobody saw land because nobody was looking; it says nothing of whether it did. */
export function unseenReason(why: string): string {
  return `${UNSEEN}: ${why}`
}

/** Whether a change that was not seen to land may have landed all the same: nobody was looking. */
export function mayHaveLanded({ state, reason }: Pick<Change, 'state' | 'reason'>): boolean {
  return state === 'not-landed' && reason.startsWith(UNSEEN)
}

const UNSEEN = 'whether it landed was not seen'
