import { ApiError } from '../kit/api/api-error.ts'
import type { JournalState } from './image-journal.ts'

/** The number that a resourceVersion stands for; 410 where the journal does not reach back so far, or never came so far. */
export function journalPlace(resourceVersion: string, { number, trimmed }: JournalState): number {
  if (!/^\d{1,20}$/.test(resourceVersion)) {
    throw new ApiError('BadRequest', `resourceVersion "${resourceVersion}" is no number`)
  }
  const place = Number(resourceVersion)
  if (place < trimmed) throw tooOld(place, trimmed)
  if (place > number) {
    throw new ApiError(
      'Expired',
      `resourceVersion ${resourceVersion} is not of this journal, which is at ${number}: list again`,
    )
  }
  return place
}

/** Says that the journal no longer reaches back so far. */
export function tooOld(place: number, trimmed: number): ApiError {
  return new ApiError(
    'Expired',
    `too old resource version: ${place} (the journal begins after ${trimmed}): list again`,
  )
}
