import { type ListWatchEvent, listWatch } from '../../../src/core/kube/list-watch.ts'
import type { RequestPurpose } from '../../../src/core/kube/status-error.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import type { Clock } from '../../../src/core/lib/time.ts'

/** One object that is followed by its name, which a right with resourceNames allows. */
export interface SingleObject<T extends Watched> {
  readonly transport: KubeTransport
  /** The collection it is in. */
  readonly path: string
  readonly name: string
  readonly purpose: Omit<RequestPurpose, 'verb'>
  readonly fromJson: (value: unknown) => T
  readonly clock: Clock
  readonly random: () => number
}

/** The object's state whenever it changed, undefined after its end or where there is none; as `listWatch` throws. */
export async function* followObject<T extends Watched>(
  { transport, path, name, purpose, fromJson, clock, random }: SingleObject<T>,
  signal: AbortSignal,
): AsyncGenerator<T | undefined, void> {
  const events = listWatch<T>({
    transport,
    source: {
      path,
      purpose: { ...purpose, name },
      fieldSelector: `metadata.name=${name}`,
      decoder: { fromJson, keyOf: () => name },
    },
    clock,
    random,
    signal,
  })
  for await (const event of events) yield* stateOf(event)
}

function* stateOf<T>(event: ListWatchEvent<T>): Generator<T | undefined> {
  switch (event.type) {
    case 'added':
    case 'modified':
      yield event.object
      break
    case 'deleted':
      yield undefined
      break
    case 'synced':
      if (event.count === 0) yield undefined
      break
    case 'interrupted':
    case 'failing':
    case 'resumed':
      break
    default:
      event satisfies never
  }
}
