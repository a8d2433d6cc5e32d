import type { Clock } from '../../../src/core/lib/time.ts'
import type { AccessRequest } from './access-request.ts'
import { cannotSay, REVIEW_MS } from './access-reviews.ts'
import type { ApiError } from './api-error.ts'
import type { ResourceScope } from './resource.ts'
import { shortKey } from './short-key.ts'

/** What looking at open streams stands on. */
export interface StreamGuardDeps {
  readonly clock: Clock
  /** Why a stream may not go on, by answers that are not older than `notBefore` (epoch milliseconds). */
  readonly ended: (
    request: AccessRequest,
    scope: ResourceScope,
    notBefore: number,
  ) => Promise<ApiError | undefined>
}

/** Looks at open streams that are under way at once. */
const PARALLEL_LOOKS = 16
/** A stream whose last good look was begun so long ago ends; how often that is looked for comes on top. */
const UNSEEN_MS = 27_000
const SWEEP_MS = 2500

/** One stream's right, shared by all streams of the same caller, resource and namespace. */
interface Guarded {
  readonly request: AccessRequest
  readonly scope: ResourceScope
  readonly ends: Set<(reason: ApiError) => void>
  /** When the last look that found the right was begun, in epoch milliseconds. */
  seenAt: number
}

/** Looks again and again whether the callers of open streams may still see what they are told. */
export class StreamGuard {
  readonly #deps: StreamGuardDeps
  readonly #guarded = new Map<string, Guarded>()

  constructor(deps: StreamGuardDeps) {
    this.#deps = deps
  }

  /** Calls `end` once where the stream may not go on; returns how to stop looking. */
  guard(request: AccessRequest, scope: ResourceScope, end: (reason: ApiError) => void): () => void {
    const { resource, verb, namespace, name, caller } = request
    const key = shortKey([caller, verb, resource.plural, namespace, name, scope.namespaceUid])
    const guarded = this.#guarded.get(key) ?? {
      request,
      scope,
      ends: new Set(),
      seenAt: this.#deps.clock.now(),
    }
    this.#guarded.set(key, guarded)
    guarded.ends.add(end)
    return () => {
      guarded.ends.delete(end)
      if (guarded.ends.size === 0 && this.#guarded.get(key) === guarded) this.#guarded.delete(key)
    }
  }

  /** Does the looking until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#every(REVIEW_MS, () => this.#lookAgain(this.#deps.clock.now()), signal),
      // By itself: looks that hang are what it is for.
      this.#every(SWEEP_MS, () => this.#endUnseen(this.#deps.clock.now()), signal),
    ])
  }

  async #every(ms: number, work: () => Promise<void> | void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(ms, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      if (signal.aborted) return
      await work()
    }
  }

  async #lookAgain(notBefore: number): Promise<void> {
    // Taken from the end: those that wait longest come first.
    const waiting = [...this.#guarded].toSorted(([, one], [, other]) => other.seenAt - one.seenAt)
    const look = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const [key, guarded] = next
        if (this.#guarded.get(key) !== guarded) continue
        const began = this.#deps.clock.now()
        const reason = await this.#deps.ended(guarded.request, guarded.scope, notBefore)
        if (reason) this.#end(key, guarded, reason)
        else guarded.seenAt = began
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_LOOKS }, look))
  }

  /** Ends the streams that no look has found right for too long. */
  #endUnseen(now: number): void {
    for (const [key, guarded] of this.#guarded) {
      // The clock was set back: from now on, no longer than anybody else.
      if (guarded.seenAt > now) guarded.seenAt = now
      if (now - guarded.seenAt < UNSEEN_MS) continue
      this.#end(key, guarded, cannotSay(new Error(`nothing was found out for ${UNSEEN_MS / 1000} s`)))
    }
  }

  /** Ends all streams of a kind, unless that was done while a look was under way. */
  #end(key: string, guarded: Guarded, reason: ApiError): void {
    if (this.#guarded.get(key) !== guarded) return
    this.#guarded.delete(key)
    for (const end of guarded.ends) end(reason)
  }
}
