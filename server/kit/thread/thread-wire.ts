import { ApiError } from '../api/api-error.ts'
import { errorOfFailure, failureOf, type PeerFailure } from '../peer/peer-wire.ts'

/** What the main thread tells another; values are what structured clone takes. */
export type ToThread =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly argument: unknown }
  | { readonly type: 'cancel'; readonly id: number }
  /** Something that is true in the main thread, which the thread must know: told again whenever it changes. */
  | { readonly type: 'tell'; readonly facts: unknown }
  | { readonly type: 'end' }

/** What a thread tells the main one. */
export type FromThread =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly failure: ThreadFailure }
  | { readonly type: 'state'; readonly state: unknown }

/** An error on its way between threads: what structured clone would lose is written out. */
export type ThreadFailure =
  | ({ readonly kind: 'api' } & PeerFailure)
  | { readonly kind: 'other'; readonly name: string; readonly message: string }

/** What is told of an error. */
export function threadFailure(error: unknown): ThreadFailure {
  if (error instanceof ApiError) return { kind: 'api', ...failureOf(error) }
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  return { kind: 'other', name, message }
}

/** The error that was told. */
export function errorOfThread(failure: ThreadFailure): Error {
  if (failure.kind === 'api') return errorOfFailure(failure)
  const error = new Error(failure.message)
  error.name = failure.name
  return error
}
