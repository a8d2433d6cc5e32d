import type { ServerResponse } from 'node:http'
import type { AccessRequest } from '../api/access-request.ts'
import { ApiError } from '../api/api-error.ts'
import type { Authorizer } from '../api/authorize.ts'
import type { Caller } from '../api/caller.ts'
import type { ResourceScope, ServedResource } from '../api/resource.ts'
import { selectedName } from '../api/selectors.ts'
import { apiErrorOf } from '../api/status.ts'
import type { UnsentBytes } from '../api/unsent-bytes.ts'
import type { Log } from '../log.ts'
import { failureOf, type PeerLine, type PeerQuestion, type PeerVerb, readQuestion } from './peer-wire.ts'
import { PeerStream, type PeerAnswerTimes } from './peer-stream.ts'

/** One question of a peer that has proved who it is. */
export interface PeerRequest {
  readonly resource: ServedResource
  readonly verb: PeerVerb
  /** JSON. */
  readonly body: string
  readonly response: ServerResponse
  readonly authorizer: Pick<Authorizer, 'authorize' | 'guard'>
  readonly log: Log
  /** Counts what waits for peers, over all questions. */
  readonly unsent: UnsentBytes
  readonly times?: Partial<PeerAnswerTimes> | undefined
}

/** Answers as the reader of this pod does, to the caller whom the peer speaks for; rejects with what is told in place. */
export async function answerPeer(request: PeerRequest, signal: AbortSignal): Promise<void> {
  const { verb } = request
  switch (verb) {
    case 'get': {
      const { query, caller } = questionOf(request, verb)
      const access = accessOf(request, query, caller, query.name)
      const scope = await scopeOf(request, query, access)
      const object = await request.resource.reader.get({ ...query, ...scope }, caller, signal)
      sendJson(request.response, { object: object ?? null })
      break
    }
    case 'list': {
      const { query, caller } = questionOf(request, verb)
      const access = accessOf(request, query, caller, selectedName(query.fields))
      const scope = await scopeOf(request, query, access)
      sendJson(request.response, await request.resource.reader.list({ ...query, ...scope }, caller, signal))
      break
    }
    case 'watch':
      await watch(request, questionOf(request, verb), signal)
      break
    default:
      verb satisfies never
  }
}

async function watch(
  request: PeerRequest,
  { query, caller }: PeerQuestion<'watch'>,
  signal: AbortSignal,
): Promise<void> {
  const { resource, authorizer, response, log, unsent, times } = request
  const access = accessOf(request, query, caller, selectedName(query.fields))
  const scope = await scopeOf(request, query, access)
  const withdrawn = new AbortController()
  const stop = authorizer.guard(access, scope, (reason) => withdrawn.abort(reason))
  const either = AbortSignal.any([signal, withdrawn.signal])
  const stream = new PeerStream(response, unsent, times)
  let last: PeerLine = { type: 'END' }
  try {
    for await (const notice of resource.reader.watch({ ...query, ...scope }, caller, either)) {
      if (either.aborted || !(await stream.send(notice))) break
    }
    withdrawn.signal.throwIfAborted()
  } catch (error) {
    const told = apiErrorOf(withdrawn.signal.aborted ? withdrawn.signal.reason : error)
    if (!signal.aborted || withdrawn.signal.aborted) last = { type: 'ERROR', error: failureOf(told) }
    if (last.type === 'ERROR' && told.reason === 'InternalError') {
      log.error({ err: error, resource: resource.plural }, 'a watch of a peer failed')
    }
  } finally {
    stop()
    stream.end(last)
  }
}

function questionOf<Verb extends PeerVerb>({ body }: PeerRequest, verb: Verb): PeerQuestion<Verb> {
  const question = readQuestion(verb, body)
  if (!question) throw new ApiError('BadRequest', 'the body is no question of a peer')
  return question
}

function accessOf(
  { resource, verb }: PeerRequest,
  { namespace }: ResourceScope,
  caller: Caller,
  name: string | undefined,
): AccessRequest {
  return { caller, verb, resource, namespace, name }
}

/** What the caller may see by our own look, and no more than the peer asked for. */
async function scopeOf(
  { authorizer }: PeerRequest,
  asked: ResourceScope,
  access: AccessRequest,
): Promise<ResourceScope> {
  const { namespaceUid } = await authorizer.authorize(access)
  if (namespaceUid !== undefined && asked.namespaceUid !== undefined && namespaceUid !== asked.namespaceUid) {
    // The peer's answer is of a few seconds ago, or ours is.
    throw new ApiError('ServiceUnavailable', 'another namespace has that name by now', {
      retryAfterSeconds: 1,
    })
  }
  return { namespace: asked.namespace, namespaceUid: namespaceUid ?? asked.namespaceUid }
}

function sendJson(response: ServerResponse, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.end(bytes)
}
