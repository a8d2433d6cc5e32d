import { requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import { repeatStep } from './repeat-step.ts'
import { followObject } from './single-object.ts'
import { Wakeup } from './wakeup.ts'

/** The namespace whose end is looked out for. */
export interface OwnNamespace {
  readonly transport: KubeTransport
  readonly namespace: string
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

/** What is done when it ends: what, for the log (`remove the APIService`), and one try of it. */
export interface LastAct {
  readonly what: string
  readonly act: (signal: AbortSignal) => Promise<void>
}

interface NamespaceSlice extends Watched {
  readonly ending: boolean
}

/** Our ServiceAccount is deleted together with the namespace: there are seconds, or less. */
const RETRY_MS = 200

const LOOK_AGAIN_MS = 5000

const NAMESPACES = '/api/v1/namespaces'

/** Acts whenever the namespace is seen to be ending or gone, until the signal aborts. */
export async function onNamespaceEnd(own: OwnNamespace, last: LastAct, signal: AbortSignal): Promise<void> {
  const { transport, namespace, clock, log, random = Math.random } = own
  const step = async (): Promise<void> => {
    const object = {
      transport,
      path: NAMESPACES,
      name: namespace,
      purpose: { resource: 'namespaces', namespaced: false },
      fromJson: namespaceFromJson,
      clock,
      random,
    }
    for await (const state of followObject(object, signal)) {
      if (!state || state.ending) await insist(own, last, signal)
    }
  }
  await repeatStep(
    { periodMs: LOOK_AGAIN_MS, what: 'follow the own namespace', clock, random, log, step },
    signal,
  )
}

/** The same as one look, for when the process is asked to end; rejects where it could not find out. */
export async function atNamespaceEnd(own: OwnNamespace, last: LastAct, signal: AbortSignal): Promise<void> {
  const { transport, namespace } = own
  // Who may list it by its name need not have the right to get it.
  const { items } = await requestJson<{ readonly items?: readonly unknown[] | null }>(transport, {
    path: `${NAMESPACES}?fieldSelector=${encodeURIComponent(`metadata.name=${namespace}`)}`,
    purpose: { verb: 'list', resource: 'namespaces', name: namespace, namespaced: false },
    signal,
  })
  const [found] = (items ?? []).map(namespaceFromJson)
  if (!found || found.ending) await insist(own, last, signal)
}

/** Tries until it is done or the signal aborts. */
async function insist(
  { clock, log }: OwnNamespace,
  { what, act }: LastAct,
  signal: AbortSignal,
): Promise<void> {
  let told = ''
  while (!signal.aborted) {
    try {
      return await act(signal)
    } catch (error) {
      if (signal.aborted) return
      const reason = error instanceof Error ? error.message : String(error)
      if (reason !== told) log.error({ err: error }, `the namespace ends: cannot ${what}; trying again`)
      told = reason
    }
    await new Wakeup().wait(clock, RETRY_MS, signal)
  }
}

function namespaceFromJson(value: unknown): NamespaceSlice {
  const { metadata } = value as {
    readonly metadata?: {
      readonly uid?: string
      readonly resourceVersion?: string
      readonly deletionTimestamp?: string
    }
  }
  return {
    uid: metadata?.uid ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    ending: metadata?.deletionTimestamp !== undefined,
  }
}
