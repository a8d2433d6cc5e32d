import type { Fault } from './fake-fault.ts'

/** A request as the fake API server has seen it. */
export interface FakeRequest {
  readonly method: string
  /** The path without its query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly accept: string
  readonly userAgent: string
}

/** Which requests are meant: a path without its query, a pattern over path and query, or a rule. */
export type RequestMatcher = string | RegExp | ((request: FakeRequest) => boolean)

interface Planned {
  readonly matcher: RequestMatcher
  readonly fault: Fault
  times: number
}

/** What shall go wrong with which requests. */
export class FakeFaults {
  #planned: Planned[] = []

  /** Spoils the next request that matches, or the next few. */
  next(matcher: RequestMatcher, fault: Fault, times = 1): void {
    this.#planned.push({ matcher, fault, times })
  }

  /** Spoils every request that matches, until the returned function is called. */
  always(matcher: RequestMatcher, fault: Fault): () => void {
    const planned: Planned = { matcher, fault, times: Number.POSITIVE_INFINITY }
    this.#planned.push(planned)
    return () => {
      this.#planned = this.#planned.filter((other) => other !== planned)
    }
  }

  /** From now on all goes well. */
  clear(): void {
    this.#planned = []
  }

  /** The fault for a request, which is thereby used up. */
  take(request: FakeRequest): Fault | undefined {
    const planned = this.#planned.find(({ matcher }) => matches(matcher, request))
    if (!planned) return undefined
    planned.times -= 1
    if (planned.times <= 0) this.#planned = this.#planned.filter((other) => other !== planned)
    return planned.fault
  }
}

/** Matches reading of objects, all but watches: not the question which resources a group has. */
export const isList = (request: FakeRequest): boolean =>
  !request.query.has('watch') && !/^\/apis\/[^/]+\/[^/]+$/.test(request.path)

/** Matches watches only. */
export const isWatch = (request: FakeRequest): boolean => request.query.has('watch')

function matches(matcher: RequestMatcher, request: FakeRequest): boolean {
  if (typeof matcher === 'string') return request.path === matcher
  if (typeof matcher === 'function') return matcher(request)
  return matcher.test(request.query.size > 0 ? `${request.path}?${request.query.toString()}` : request.path)
}
