import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { JournalFull, type JournalEntry } from '../../../server/audit-log/journal/journal.ts'
import {
  createAdmissionRoute,
  type AdmissionOutcome,
  type AdmissionRouteOptions,
} from '../../../server/audit-log/webhook/admission-route.ts'
import { answerError } from '../../../server/kit/api/answer.ts'
import { apiErrorOf } from '../../../server/kit/api/status.ts'
import { createRedactor } from '../../../src/core/model/redact-object.ts'
import type { AdmissionRequest } from '../../../src/core/wire/admission-review.ts'
import { RECORDS_ALL } from '../../kit/audit-config.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

/** A journal in memory, which a test can fill up, slow down or break. */
class MemoryJournal {
  readonly writer = 4711
  readonly entries: Omit<JournalEntry, 'seq'>[] = []
  state: 'works' | 'full' | 'broken' | 'hangs' = 'works'

  append(entry: Omit<JournalEntry, 'seq'>): Promise<number> {
    if (this.state === 'full') return Promise.reject(new JournalFull('full'))
    if (this.state === 'broken') throw new Error('broken')
    if (this.state === 'hangs') return new Promise(() => undefined)
    return Promise.resolve(this.entries.push(entry))
  }
}

/** A redactor as an installation has one. */
export const redactor = createRedactor({
  hmac: (text) => createHmac('sha256', 'a key of a test').update(text).digest('hex'),
  paths: [],
})

/** The webhook behind a plain HTTP server. */
export class WebhookWorld {
  readonly journal = new MemoryJournal()
  readonly log = recordedLog()
  readonly clock = new ManualClock()
  readonly outcomes: AdmissionOutcome[] = []
  readonly #server: Server

  constructor(options: Partial<AdmissionRouteOptions> = {}) {
    const route = createAdmissionRoute({
      path: '/audit/x',
      journal: this.journal,
      redactor,
      config: RECORDS_ALL,
      metrics: { answered: (outcome) => this.outcomes.push(outcome) },
      clock: this.clock,
      log: this.log,
      ...options,
    })
    const { signal } = new AbortController()
    this.#server = createServer((request, response) => {
      request.on('error', () => undefined)
      route
        .handle(request, response, signal)
        .catch((error: unknown) => answerError(response, apiErrorOf(error)))
    })
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/audit/x`
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Posts a body, which may come in pieces, and gives status and body of the answer. */
  async post(
    body: string | Buffer | readonly Buffer[],
    { chunked = false } = {},
  ): Promise<{ readonly status: number; readonly text: string }> {
    const pieces = Array.isArray(body) ? (body as readonly Buffer[]) : [Buffer.from(body as string)]
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const sent = httpRequest(this.url, {
      method: 'POST',
      headers: chunked ? {} : { 'content-length': length },
    })
    const answered = once(sent, 'response')
    for (const piece of pieces) if (!sent.write(piece)) await once(sent, 'drain')
    sent.end()
    const [response] = (await answered) as [IncomingMessage]
    return { status: response.statusCode ?? 0, text: (await buffer(response)).toString('utf8') }
  }

  /** Posts a review and gives what the answer says. */
  async review(request: Partial<AdmissionRequest>): Promise<Record<string, unknown>> {
    const { text } = await this.post(reviewOf(request))
    return (JSON.parse(text) as { response: Record<string, unknown> }).response
  }
}

/** A review as the API server writes it, with fields in its order. */
export function reviewOf(request: Readonly<Record<string, unknown>> = {}): string {
  const { object = null, oldObject = null, dryRun = false, options = null, ...head } = request
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'web',
      namespace: 'shop',
      operation: 'UPDATE',
      userInfo: { username: 'alice', groups: ['dev', 'system:authenticated'] },
      ...head,
      object,
      oldObject,
      dryRun,
      options,
    },
  })
}
