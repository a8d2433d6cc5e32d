import { Agent, request } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

/** What came of the reviews that were sent. */
export interface LoadResult {
  /** Milliseconds from sending each to its whole answer. */
  readonly times: readonly number[]
  /** The ids by which they were recorded. */
  readonly ids: ReadonlySet<string>
  /** Answers that did not allow. */
  readonly refused: number
}

/** Sends reviews as the API server does: over kept connections, each at its time, whatever became of those before. */
export async function sendReviews(
  url: string,
  bodies: readonly Buffer[],
  gapMs: () => number,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 64 })
  const times: number[] = []
  const ids = new Set<string>()
  let refused = 0
  const send = async (body: Buffer): Promise<void> => {
    const began = performance.now()
    const text = await post(url, body, agent)
    times.push(performance.now() - began)
    if (!text.includes('"allowed":true')) refused += 1
    const [, id] = /"change":"([^"]+)"/.exec(text) ?? []
    if (id !== undefined) ids.add(id)
  }
  try {
    const sent: Promise<void>[] = []
    let due = performance.now()
    for (const body of bodies) {
      due += gapMs()
      const early = due - performance.now()
      if (early > 0) await delay(early)
      sent.push(send(body))
    }
    await Promise.all(sent)
    return { times, ids, refused }
  } finally {
    agent.destroy()
  }
}

function post(url: string, body: Buffer, agent: Agent): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  request(url, { method: 'POST', headers, agent }, (response) => {
    buffer(response).then((answer) => resolve(answer.toString('utf8')), reject)
  })
    .once('error', reject)
    .end(body)
  return promise
}
