/**
 * The webhook of the audit log on the api's listener, and nothing else: `audit-webhook.ts answer` only answers, which is
 * the floor; `audit-webhook.ts record FOLDER` redacts and keeps each review in a journal first. Prints its port.
 */
import { createHmac, createSecretKey } from 'node:crypto'
import process from 'node:process'
import { openJournalWriter } from '../../../server/audit-log/journal/journal-writer.ts'
import { createAdmissionRoute } from '../../../server/audit-log/webhook/admission-route.ts'
import { answerError } from '../../../server/kit/api/answer.ts'
import { createListener } from '../../../server/kit/api/listener.ts'
import { closing, type Route } from '../../../server/kit/api/route.ts'
import { apiErrorOf } from '../../../server/kit/api/status.ts'
import { createLog } from '../../../server/kit/log.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { createRedactor } from '../../../src/core/model/redact-object.ts'
import { RECORDS_ALL } from '../../kit/audit-config.ts'

const log = createLog('error')
const [mode, folder = ''] = process.argv.slice(2)

/** Reads each body and answers with its uid, without looking at the rest. */
const answering: Route = {
  method: 'POST',
  path: '/audit/bench',
  async handle(request, response) {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const [, uid = ''] = /"uid":"([^"]+)"/.exec(chunks[0]?.toString('latin1', 0, 400) ?? '') ?? []
    const text = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"${uid}","allowed":true}}`
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
    response.end(text)
  },
}

function recording(): Route {
  const key = createSecretKey(Buffer.alloc(32, 7))
  return createAdmissionRoute({
    path: '/audit/bench',
    journal: openJournalWriter({ folder, newWriter: () => 4711, clock: systemClock, log }),
    redactor: createRedactor({
      hmac: (text) => createHmac('sha256', key).update(text).digest('hex'),
      paths: [],
    }),
    config: RECORDS_ALL,
    metrics: { answered: () => undefined },
    clock: systemClock,
    log,
  })
}

const route = mode === 'answer' ? answering : recording()
const listener = createListener({
  address: '127.0.0.1:0',
  tls: {
    current: () => ({ certificate: process.env['BARE_CERT'] ?? '', key: process.env['BARE_KEY'] ?? '' }),
    onChange: () => () => undefined,
  },
  log,
  clock: systemClock,
  handle(request, response) {
    route
      .handle(request, response, closing(response).signal)
      .catch((error: unknown) => answerError(response, apiErrorOf(error)))
  },
})
console.log((await listener.listen()).port)
