import type { ApiResource } from '../../../core/kube/api-resource.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { BlameRun } from './blame-run.ts'
import { objectPorts } from './object-ports.ts'

/** An object as the API server has it now. */
export interface TodaysObject {
  readonly type: ApiResource
  readonly object: KubernetesObject
}

/** Today's objects in the order of the command line, and why those that were named and could not be read were not, in that order too. */
export interface TodaysObjects {
  readonly objects: readonly TodaysObject[]
  readonly failures: readonly DeckError[]
}

/** Reads the objects of the targets. A list that cannot be read is thrown, and what no other object would escape. */
export async function todaysObjects(
  run: Pick<BlameRun, 'targets' | 'selectors' | 'transport' | 'connection' | 'session' | 'signal'>,
): Promise<TodaysObjects> {
  const { targets, selectors, transport, connection, session, signal } = run
  const ports = objectPorts({ transport, connection, clock: session.clock })
  const list = async (target: (typeof targets)[number]): Promise<TodaysObject[]> => {
    const objects: TodaysObject[] = []
    for await (const batch of ports.listObjects(target.type, target.namespace, selectors, signal)) {
      for (const object of batch) objects.push({ type: target.type, object })
    }
    return objects
  }
  const get = async (
    { type, namespace }: (typeof targets)[number],
    name: string,
  ): Promise<(TodaysObject | DeckError)[]> => {
    try {
      return [{ type, object: await ports.getObject(type, namespace, name, signal) }]
    } catch (error) {
      // The server's answer about this object: others may fare better.
      if (!(error instanceof DeckError) || (error.status !== 404 && error.status !== 403)) throw error
      return [error]
    }
  }
  const found = await Promise.all(
    targets.flatMap((target): Promise<(TodaysObject | DeckError)[]>[] =>
      target.names === undefined ? [list(target)] : target.names.map((name) => get(target, name)),
    ),
  )
  const all = found.flat()
  return {
    objects: all.flatMap((one) => (one instanceof DeckError ? [] : [one])),
    failures: all.flatMap((one) => (one instanceof DeckError ? [one] : [])),
  }
}
