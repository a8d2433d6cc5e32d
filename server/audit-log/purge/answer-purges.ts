import { requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import { PURGE_CONFIG_MAP, type PurgeAnswer, type PurgeRequest } from '../../../src/core/wire/purge.ts'
import type { Log } from '../../kit/log.ts'
import { followObject } from '../../kit/tls/single-object.ts'
import { managerOf } from '../recorder/field-manager.ts'
import type { PurgeOutcome } from './purge-history.ts'
import { type AskedPurge, readPurgeRequest } from './purge-request.ts'

/** What answering stands on. */
export interface AnswerPurgesDeps {
  readonly transport: KubeTransport
  /** The companion's own, in which the ConfigMap is. */
  readonly namespace: string
  readonly clock: Clock
  readonly log: Log
  /** Takes it out of all that is kept; rejects with why not, one clause. */
  readonly purge: (request: PurgeRequest, signal: AbortSignal) => Promise<PurgeOutcome>
}

interface ConfigMap extends KubernetesObject {
  readonly metadata: NonNullable<KubernetesObject['metadata']> & {
    readonly uid: string
    readonly resourceVersion: string
  }
  readonly data?: Readonly<Record<string, string>> | null
}

interface PurgeState {
  readonly uid: string
  readonly resourceVersion: string
  /** As it was read, with all that others put on it. */
  readonly object: ConfigMap
}

const RETRY_MS = 10_000

/**
 * Does what the ConfigMap asks for, and writes the answer beside it, until the signal aborts. What was interrupted before
 * its answer is done again after a restart; recording goes on whatever happens here.
 */
export async function answerPurges(deps: AnswerPurgesDeps, signal: AbortSignal): Promise<void> {
  const { transport, namespace, clock, log } = deps
  // Where the answer cannot be written, only that is tried again.
  let last: PurgeAnswer | undefined
  while (!signal.aborted) {
    try {
      const states = followObject<PurgeState>(
        {
          transport,
          path: `/api/v1/namespaces/${namespace}/configmaps`,
          name: PURGE_CONFIG_MAP,
          purpose: { resource: 'configmaps', namespace },
          fromJson: stateOf,
          clock,
          random: Math.random,
        },
        signal,
      )
      for await (const state of states) {
        const asked: AskedPurge = state ? readPurgeRequest(state.object.data ?? {}) : { type: 'none' }
        if (!state || asked.type === 'none') continue
        if (last === undefined || last.id !== idOf(asked)) last = await answerTo(deps, asked, state, signal)
        await write(deps, state, last, signal)
      }
    } catch (error) {
      if (signal.aborted) return
      log.warn({ err: error }, 'requests to purge cannot be followed: trying again')
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined)
  }
}

function stateOf(value: unknown): PurgeState {
  const object = value as ConfigMap
  const { uid, resourceVersion } = object.metadata
  return { uid, resourceVersion, object }
}

type Asked = Exclude<AskedPurge, { readonly type: 'none' }>

function idOf(asked: Asked): string {
  return asked.type === 'request' ? asked.request.id : asked.id
}

async function answerTo(
  { purge, log }: AnswerPurgesDeps,
  asked: Asked,
  { object }: PurgeState,
  signal: AbortSignal,
): Promise<PurgeAnswer> {
  const id = idOf(asked)
  if (asked.type === 'unreadable') return { id, done: false, reason: asked.reason }
  const { time, target } = asked.request
  const about = { request: id, target }
  // Nobody tells who a person is that wrote the ConfigMap, and what stands in it anybody may write who may write it.
  const program = managerOf(object, [{ path: 'data.request', op: 'add' }])
  log.info({ ...about, asked: time, program, by: BY }, 'a purge was asked for')
  try {
    const outcome = await purge(asked.request, signal)
    log.info({ ...about, ...outcome }, 'purged what was asked for')
    return { id, done: true, ...outcome }
  } catch (error) {
    if (signal.aborted) throw error
    log.warn({ ...about, err: error }, 'could not purge')
    return { id, done: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

const BY = `not known here: the cluster's own audit log has who patched configmap ${PURGE_CONFIG_MAP}`

async function write(
  { transport, namespace, log }: AnswerPurgesDeps,
  { object }: PurgeState,
  answer: PurgeAnswer,
  signal: AbortSignal,
): Promise<void> {
  try {
    await requestJson(transport, {
      method: 'PUT',
      path: `/api/v1/namespaces/${namespace}/configmaps/${PURGE_CONFIG_MAP}`,
      // The version that was read: a request that came meanwhile is not overwritten, but told by the watch.
      body: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        ...object,
        data: { ...object.data, answer: JSON.stringify(answer) },
      },
      purpose: { verb: 'update', resource: 'configmaps', name: PURGE_CONFIG_MAP, namespace },
      signal,
    })
  } catch (error) {
    if (!(error instanceof DeckError) || (error.status !== 409 && error.status !== 404)) throw error
    log.debug({ err: error }, 'the request to purge was changed meanwhile')
  }
}
