import { qualifiedName, type ApiResource } from '../../../core/kube/api-resource.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { BlameRun } from './blame-run.ts'
import { objectPorts } from './object-ports.ts'
import type { Target } from './targets.ts'

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
  run: Pick<BlameRun, 'targets' | 'selectors' | 'types' | 'transport' | 'connection' | 'session' | 'signal'>,
): Promise<TodaysObjects> {
  const { targets, selectors, types, transport, connection, session, signal } = run
  const ports = objectPorts({ transport, connection, clock: session.clock })
  const asServed = async <Answer>(
    target: Target,
    ask: (target: Target) => Promise<Answer>,
  ): Promise<Answer> => {
    try {
      return await ask(target)
    } catch (error) {
      if (!isUnserved(error)) throw error
      // What is known may be another version's, or have gone since: the server says itself what it has.
      return ask({ ...target, type: await types.findAtServer(qualifiedName(target.type)) })
    }
  }
  const list = async (target: Target): Promise<TodaysObject[]> => {
    const objects: TodaysObject[] = []
    for await (const batch of ports.listObjects(target.type, target.namespace, selectors, signal)) {
      for (const object of batch) objects.push({ type: target.type, object })
    }
    return objects
  }
  const get = async ({ type, namespace }: Target, name: string): Promise<(TodaysObject | DeckError)[]> => {
    try {
      return [{ type, object: await ports.getObject(type, namespace, name, signal) }]
    } catch (error) {
      if (isUnserved(error)) throw error
      // The server's answer about this object: others may fare better.
      if (!(error instanceof DeckError) || (error.status !== 404 && error.status !== 403)) throw error
      return [error]
    }
  }
  const found = await Promise.all(
    targets.flatMap((target): Promise<(TodaysObject | DeckError)[]>[] =>
      target.names === undefined
        ? [asServed(target, list)]
        : target.names.map((name) => asServed(target, (served) => get(served, name))),
    ),
  )
  const all = found.flat()
  return {
    objects: all.flatMap((one) => (one instanceof DeckError ? [] : [one])),
    failures: all.flatMap((one) => (one instanceof DeckError ? [one] : [])),
  }
}

/** Whether nothing is served at a path: k8s.io/apimachinery, NewGenericServerResponse. Of an object 404 names it. */
function isUnserved(error: unknown): boolean {
  return (
    error instanceof DeckError &&
    error.status === 404 &&
    error.message.includes('the server could not find the requested resource')
  )
}
