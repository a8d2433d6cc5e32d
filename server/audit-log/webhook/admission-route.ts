import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Redactor } from '../../../src/core/model/redact-object.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { AdmissionRequest } from '../../../src/core/wire/admission-review.ts'
import { ApiError } from '../../kit/api/api-error.ts'
import { DEFAULT_LIMITS, RequestLimiter } from '../../kit/api/limits.ts'
import type { Route } from '../../kit/api/route.ts'
import type { Log } from '../../kit/log.ts'
import { RareWarning } from '../../kit/rare-warning.ts'
import type { AuditLogConfig } from '../config.ts'
import { JournalFull, type JournalWriter } from '../journal/journal.ts'
import type { RightOfWay } from '../right-of-way.ts'
import { BodyBudget } from './body-budget.ts'
import { excludes } from './predicates.ts'
import { readReview } from './read-review.ts'
import { readReviewHead, readUid } from './read-review-head.ts'
import { recordedRequest } from './recorded-request.ts'
import { readReviewBody, type BodyLimits, type ReviewBody } from './review-body.ts'

/**
 * How a review ended. Recorded: `recorded` whole, `metadata` without its objects. Left out as it should be: `dry-run`,
 * `excluded`. Answered but not recorded: `large` or `crowded` (more bytes than are held), `rate` (more than an address may
 * send), `full` (journal or disk), `slow` (not durable in time; it may be later), `failed` (a fault of our own). No review:
 * `invalid`.
 */
export type AdmissionOutcome =
  | 'recorded'
  | 'metadata'
  | 'dry-run'
  | 'excluded'
  | 'large'
  | 'crowded'
  | 'rate'
  | 'full'
  | 'slow'
  | 'failed'
  | 'invalid'

/** Every outcome, for series that are there from the start. */
export const ADMISSION_OUTCOMES: readonly AdmissionOutcome[] = [
  'recorded',
  'metadata',
  'dry-run',
  'excluded',
  'large',
  'crowded',
  'rate',
  'full',
  'slow',
  'failed',
  'invalid',
]

/** What is counted. */
export interface AdmissionMetrics {
  /** A review was answered, so many seconds after its first byte was read. */
  answered(outcome: AdmissionOutcome, seconds: number): void
}

/** How much a webhook takes. */
export interface AdmissionLimits extends BodyLimits {
  /** Over all bodies that are being read, and of one address. */
  readonly heldBytes: number
  readonly heldBytesPerAddress: number
  /** Of one address; API servers come by one each. */
  readonly reviewsPerSecond: number
  readonly burst: number
  /** The API server waits a second: so long it may take until a review is durable, then it is answered all the same. */
  readonly answerWithinMs: number
}

/** The limits of the issue, and those that keep strangers from filling memory. */
const ADMISSION_LIMITS: AdmissionLimits = {
  maxBytes: 16 * 1024 * 1024,
  maxReadBytes: 64 * 1024 * 1024,
  headBytes: 64 * 1024,
  tailBytes: 16 * 1024,
  withinMs: 5000,
  heldBytes: 64 * 1024 * 1024,
  heldBytesPerAddress: 40 * 1024 * 1024,
  reviewsPerSecond: 2000,
  burst: 6000,
  answerWithinMs: 700,
}

/** What the webhook stands on. */
export interface AdmissionRouteOptions {
  /** With a segment that nobody can guess. */
  readonly path: string
  readonly journal: Pick<JournalWriter, 'writer' | 'append'>
  readonly redactor: Redactor
  readonly config: Pick<AuditLogConfig, 'auditExclude' | 'auditInclude' | 'auditAccess'>
  readonly metrics: AdmissionMetrics
  /** Where work of other threads looks whether reviews are being answered. */
  readonly requests?: RightOfWay
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly limits?: Partial<AdmissionLimits>
}

/** How a review is answered: by its uid, and with its seq where it was recorded. */
interface Verdict {
  readonly outcome: AdmissionOutcome
  readonly uid: string
  readonly seq?: number
}

/** A verdict, or what it waits for; nothing of the review's objects is held meanwhile. */
type Judgement = Verdict | Waiting

interface Waiting {
  readonly outcome: AdmissionOutcome
  readonly uid: string
  readonly kept: Promise<number>
}

/**
 * The webhook: records what the API server is about to write, durably, and allows it whatever happens here. What is no
 * review gets 400; one that is too large to find its uid in it, 413.
 */
export function createAdmissionRoute(options: AdmissionRouteOptions): Route {
  const webhook = new Webhook(options)
  return {
    method: 'POST',
    path: options.path,
    handle: (request, response) => webhook.handle(request, response),
  }
}

class Webhook {
  readonly #options: AdmissionRouteOptions
  readonly #limits: AdmissionLimits
  readonly #budget: BodyBudget
  readonly #rates: RequestLimiter
  readonly #lost: RareWarning
  readonly #faults: RareWarning

  constructor(options: AdmissionRouteOptions) {
    this.#options = options
    this.#limits = { ...ADMISSION_LIMITS, ...options.limits }
    const { heldBytes, heldBytesPerAddress, reviewsPerSecond, burst } = this.#limits
    this.#budget = new BodyBudget({ total: heldBytes, ofAddress: heldBytesPerAddress })
    this.#rates = new RequestLimiter(
      { ...DEFAULT_LIMITS, requestsPerSecond: reviewsPerSecond, burst },
      options.clock,
    )
    this.#lost = new RareWarning('a review was answered and not recorded', options)
    this.#faults = new RareWarning('a review could not be recorded', options)
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { requests } = this.#options
    requests?.enter()
    try {
      await this.#handle(request, response)
    } finally {
      requests?.leave()
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now()
    const answered = (outcome: AdmissionOutcome): void =>
      this.#options.metrics.answered(outcome, (performance.now() - began) / 1000)
    const received = this.#options.clock.now()
    const judgement = await readReviewBody(request, this.#limits, this.#budget).then((body) =>
      body ? this.#judge(request, body, received) : 'gone',
    )
    if (judgement === 'gone') return
    if (judgement instanceof ApiError) {
      answered('invalid')
      throw judgement
    }
    const verdict = 'kept' in judgement ? await this.#untilKept(judgement, began) : judgement
    allow(response, verdict, this.#options.journal.writer)
    answered(verdict.outcome)
  }

  #judge(request: IncomingMessage, body: ReviewBody, received: number): Judgement | ApiError {
    try {
      if (body.held === 'whole') return this.#judgeWhole(request, body.bytes, received)
      return this.#judgePart(request, body, received)
    } finally {
      if (body.held === 'whole') body.release()
    }
  }

  #judgeWhole(request: IncomingMessage, bytes: Buffer, received: number): Judgement | ApiError {
    if (!this.#hasShare(request)) {
      const uid = readUid(bytes)
      return uid === undefined ? noReview() : this.#unrecorded('rate', uid)
    }
    const review = readReview(bytes.toString('utf8'))
    return review ? this.#consider(review, true, received) : noReview()
  }

  #judgePart(
    request: IncomingMessage,
    { held, head, tail }: Exclude<ReviewBody, { held: 'whole' }>,
    received: number,
  ): Judgement | ApiError {
    const hasShare = this.#hasShare(request)
    const review = hasShare ? readReviewHead(head, tail) : undefined
    if (review) return this.#consider(review, false, received)
    const uid = readUid(head)
    if (uid !== undefined) return this.#unrecorded(hasShare ? held : 'rate', uid)
    return new ApiError('RequestEntityTooLarge', `the body is longer than ${this.#limits.maxBytes} bytes`)
  }

  #consider(review: AdmissionRequest, whole: boolean, received: number): Judgement {
    const { uid } = review
    if (review.dryRun) return { outcome: 'dry-run', uid }
    if (this.#isExcluded(review)) return { outcome: 'excluded', uid }
    const { journal, redactor } = this.#options
    try {
      const kept = whole ? recordedRequest(review, redactor) : { request: review, truncated: true }
      const outcome = kept.truncated ? 'metadata' : 'recorded'
      return { uid, outcome, kept: journal.append({ received, ...kept }) }
    } catch (error) {
      this.#faults.warn({ err: error })
      return { outcome: 'failed', uid }
    }
  }

  async #untilKept({ uid, outcome, kept }: Waiting, began: number): Promise<Verdict> {
    try {
      const seq = await within(kept, this.#limits.answerWithinMs - (performance.now() - began))
      return seq === undefined ? this.#unrecorded('slow', uid) : { outcome, uid, seq }
    } catch (error) {
      if (error instanceof JournalFull) return this.#unrecorded('full', uid)
      this.#faults.warn({ err: error })
      return { outcome: 'failed', uid }
    }
  }

  #isExcluded(review: AdmissionRequest): boolean {
    const { config } = this.#options
    return (review.operation === 'CONNECT' && !config.auditAccess) || excludes(config, review)
  }

  #unrecorded(outcome: AdmissionOutcome, uid: string): Verdict {
    this.#lost.warn({ outcome })
    return { outcome, uid }
  }

  #hasShare({ socket }: IncomingMessage): boolean {
    try {
      this.#rates.takeRequest(socket.remoteAddress ?? '')
      return true
    } catch {
      return false
    }
  }
}

function noReview(): ApiError {
  return new ApiError('BadRequest', 'the body is no AdmissionReview of admission.k8s.io/v1')
}

/** What a promise gives; undefined where it takes longer, whatever it ends with then. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), Math.max(0, ms))
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function allow(response: ServerResponse, { uid, seq }: Verdict, writer: number): void {
  const annotations = seq === undefined ? '' : `,"auditAnnotations":{"change":"${writer}-${seq}"}`
  const text = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":${JSON.stringify(uid)},"allowed":true${annotations}}}`
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
