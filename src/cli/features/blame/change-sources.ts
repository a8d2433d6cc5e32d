import { gitOpsOperationAt } from '../../../core/model/change-via-operation.ts'
import { sourceObject, type SourceObject } from '../../../core/model/change-via-source.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'

/** Reads the object behind a source; undefined where it is gone or the caller may not read it. */
export type ReadSource = (source: SourceObject, signal: AbortSignal) => Promise<KubernetesObject | undefined>

// What is shown at once names few sources; more are not worth the requests.
const MOST_SOURCES = 20

/**
 * Changes that a GitOps tool made, with the revision it brought and who had asked for it, as far as the statuses of the
 * newest sources tell: each is read once. All other changes, and those of operations that no status remembers, stay as
 * they are.
 */
export async function withSourceOperations(
  changes: readonly Change[],
  read: ReadSource,
  signal: AbortSignal,
): Promise<readonly Change[]> {
  const sources = new Map<string, SourceObject>()
  for (const { via } of changes) {
    const source = via.revision === '' ? sourceObject(via.source) : undefined
    if (source && sources.size < MOST_SOURCES) sources.set(via.source, source)
  }
  if (sources.size === 0) return changes
  const objects = new Map(
    await Promise.all(
      [...sources].map(async ([name, source]) => [name, await read(source, signal)] as const),
    ),
  )
  return changes.map((change) => withOperation(change, objects.get(change.via.source)))
}

function withOperation(change: Change, source: KubernetesObject | undefined): Change {
  const { via, time } = change
  const operation = source && via.revision === '' ? gitOpsOperationAt(source, Date.parse(time)) : undefined
  if (!operation) return change
  const { revision, initiatedBy } = operation
  return { ...change, via: { ...via, revision, initiatedBy: via.initiatedBy || initiatedBy } }
}
