import { DeckError } from '../../../core/lib/errors.ts'
import type { Change } from '../../../core/wire/change.ts'
import { withSourceOperations, type ReadSource } from '../../features/blame/change-sources.ts'
import type { BlameRun } from './blame-run.ts'
import { objectPorts } from './object-ports.ts'

/** The changes of GitOps tools with revision and initiator, where the caller may read the objects that know them. */
export function tellSourceOperations(
  changes: readonly Change[],
  {
    transport,
    connection,
    session,
    signal,
  }: Pick<BlameRun, 'transport' | 'connection' | 'session' | 'signal'>,
): Promise<readonly Change[]> {
  const ports = objectPorts({ transport, connection, clock: session.clock })
  const read: ReadSource = async ({ group, version, resource, namespace, name }, reading) => {
    const type = { group, version, resource, singular: '', kind: '', namespaced: true }
    try {
      return await ports.getObject(type, namespace, name, reading)
    } catch (error) {
      // What the change itself says is complete without it: no right, no such object, no such type.
      if (error instanceof DeckError) return undefined
      throw error
    }
  }
  return withSourceOperations(changes, read, signal)
}
