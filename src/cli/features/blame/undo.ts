import { plural } from '../../../core/lib/text.ts'
import { formatPath, type PathStep } from '../../../core/model/field-path.ts'
import { listKeysOf } from '../../../core/model/list-keys.ts'
import { diffObjects } from '../../../core/model/object-diff.ts'
import { isMap } from '../../../core/model/object-diff-equal.ts'
import { withoutNoise } from '../../../core/model/object-noise.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'
import { creatable } from './undo-create.ts'
import { planPatch } from './undo-patch.ts'
import type { UndoConflict, UndoPlan } from './undo-plan.ts'
import { fitsRecorded, holdsRedacted } from './undo-redacted.ts'
import { deletionWarnings, ownerWarnings, recreationWarnings } from './undo-warnings.ts'

/** Through these an object's own fields are written. */
const OF_THE_OBJECT = new Set(['', 'scale', 'resize', 'status', 'ephemeralcontainers'])

/**
 * How one change is taken back against the object as it is today, undefined where there is none of that name: pure, it
 * writes nothing. An UPDATE gives a JSON patch, a CREATE the deletion, a DELETE the object to create.
 */
export function planUndo(change: Change, today: KubernetesObject | undefined): UndoPlan {
  const reason = whyNothing(change)
  if (reason !== undefined) return nothing(reason)
  const warnings = change.state === 'pending' ? ['This change is not confirmed: it may still be refused'] : []
  switch (change.operation) {
    case 'CONNECT':
      return nothing('it was a connection and changed nothing')
    case 'CREATE':
      return planDelete(change, today, warnings)
    case 'DELETE':
      return planCreate(change, today, warnings)
    case 'UPDATE':
      return planUpdate(change, today, warnings)
  }
}

function whyNothing({ state, object, truncated, changes }: Change): string | undefined {
  if (state === 'not-landed') return 'it was refused and changed nothing'
  if (state === 'superseded') return 'it was a try that the API server repeated; undo the one that landed'
  if (!OF_THE_OBJECT.has(object.subresource))
    return `what was done by ${object.subresource} cannot be taken back`
  if (truncated) return 'its values were too large and are not kept'
  return changes.length === 0 ? 'what it changed is not known' : undefined
}

function planUpdate(
  change: Change,
  today: KubernetesObject | undefined,
  warnings: readonly string[],
): UndoPlan {
  if (!today) return nothing('the object is gone')
  const plan = planPatch(change.changes, today)
  const anew = isAnother(change, today)
    ? ['The object was deleted and created again since: the change was made to the one before']
    : []
  const subresource = change.object.subresource === 'resize' ? 'resize' : ''
  return {
    ...plan,
    subresource,
    warnings: [...warnings, ...anew, ...plan.warnings, ...ownerWarnings(change, today)],
  }
}

function planDelete(
  change: Change,
  today: KubernetesObject | undefined,
  warnings: readonly string[],
): UndoPlan {
  if (!today) return nothing('the object is gone already')
  if (isAnother(change, today)) return nothing('another object of that name was created since')
  if (today.metadata?.deletionTimestamp) return nothing('the object is being deleted already')
  const since = changesSince(change, today)
  const changed =
    since > 0 ? [`${plural(since, 'field')} changed since it was created: that is lost too`] : []
  return {
    type: 'delete',
    uid: change.object.uid,
    conflicts: [],
    warnings: [...warnings, ...changed, ...deletionWarnings(today), ...ownerWarnings(change, today)],
  }
}

function changesSince({ changes }: Change, today: KubernetesObject): number {
  const created = (changes[0]?.to ?? {}) as KubernetesObject
  const since = diffObjects(withoutNoise(created), withoutNoise(today), listKeysOf(today))
  return since.filter(({ from, to }) => !(holdsRedacted(from) && fitsRecorded(to, from))).length
}

function planCreate(
  change: Change,
  today: KubernetesObject | undefined,
  warnings: readonly string[],
): UndoPlan {
  if (today && isAnother(change, today)) return nothing('an object of that name was created again since')
  if (today) {
    return nothing(
      today.metadata?.deletionTimestamp
        ? 'the object is still being deleted: undo it when it is gone'
        : 'the object is there',
    )
  }
  const deleted = change.changes[0]?.from
  if (!isMap(deleted)) return nothing('what was deleted is not kept')
  const object = creatable(deleted)
  return {
    type: 'create',
    object,
    conflicts: redactedFields(object, []),
    warnings: [...warnings, ...recreationWarnings(object), ...ownerWarnings(change, object)],
  }
}

function isAnother({ object: { uid } }: Change, { metadata }: KubernetesObject): boolean {
  return uid !== '' && metadata?.uid !== undefined && metadata.uid !== uid
}

/** Each field of an object of which something was not kept. */
function redactedFields(value: unknown, steps: readonly PathStep[]): UndoConflict[] {
  if (typeof value === 'string' && holdsRedacted(value)) {
    return [{ path: formatPath(steps), obstacle: 'redacted' }]
  }
  if (Array.isArray(value)) {
    return value.flatMap((entry: unknown, index) => redactedFields(entry, [...steps, stepTo(entry, index)]))
  }
  if (!isMap(value)) return []
  return Object.entries(value).flatMap(([key, entry]) => redactedFields(entry, [...steps, { key }]))
}

function stepTo(entry: unknown, index: number): PathStep {
  const name = isMap(entry) ? entry['name'] : undefined
  return typeof name === 'string' ? { entry: { name } } : { index }
}

function nothing(reason: string): UndoPlan {
  return { type: 'nothing', reason, conflicts: [], warnings: [] }
}
