import type { FieldOwner } from '../../../core/model/field-owners.ts'
import type { FieldTouch } from '../../../core/wire/change.ts'
import { accountText } from './who-text.ts'

/** Who is named at a line of an object. */
export interface LineOwner {
  /** `person`: an account that the companion recorded; `manager`: what a client called itself in managedFields. */
  readonly type: 'person' | 'manager'
  /** The account as screens show it, or the field manager; `?` where not even that is known. */
  readonly name: string
  /** Of a person: `CREATE`, `UPDATE`, …; of a manager: `Apply` or `Update`. */
  readonly operation: string
  /** `status`, `scale`, …; empty for the object itself, and for a person. */
  readonly subresource: string
  /** Epoch milliseconds: of a person's change; of the manager's last change of any of its fields. Undefined where not known. */
  readonly time: number | undefined
  /** metadata.name of the change; undefined for a manager. */
  readonly change: string | undefined
  /** Another account may have made the change as well. */
  readonly ambiguous: boolean
}

/** A recorded touch with its time in epoch milliseconds. */
export interface TimedTouch extends FieldTouch {
  readonly at: number
}

// managedFields counts whole seconds, and the API server takes its time a moment before the companion does.
const SAME_WRITE_MS = 2000

// Older entries of managedFields are merged under this name; its time is not that of any one of them.
const MERGED = 'ancient-changes'

// What this manager owns goes over to the first who applies server-side, without a change of any value (csaupgrade in
// client-go; kubectl does so after each such apply).
const MIGRATED = 'kubectl-client-side-apply'

/**
 * Who is named at a line: the one whose recorded change touched it last, then the managers that own the same field
 * beside; the managers alone where nobody's touch is recorded, or where one of them has it by a write that the
 * companion did not record. `touches` are all of the object.
 */
export function lineOwners(
  touch: TimedTouch | undefined,
  owners: readonly FieldOwner[],
  touches: readonly TimedTouch[],
): readonly LineOwner[] {
  if (!touch) return owners.map(managerOwner)
  const newer = unrecorded(touch, owners, touches)
  if (newer.length > 0) return newer.map(managerOwner)
  // A scale and a raw client name no manager: then only who *applied* the same is surely another.
  const others = owners.filter(({ manager, operation }) =>
    touch.manager === '' ? operation === 'Apply' : manager !== touch.manager,
  )
  return [touchOwner(touch), ...others.map(managerOwner)]
}

function unrecorded(
  touch: TimedTouch,
  owners: readonly FieldOwner[],
  touches: readonly TimedTouch[],
): readonly FieldOwner[] {
  // A change of the value ends all other ownership: who touched it last and owns it still was not overwritten.
  if (touch.manager !== '' && owners.some(({ manager }) => manager === touch.manager)) return []
  return owners.filter(({ manager, operation, time }) => {
    if (time === undefined || manager === MERGED) return false
    if (touch.manager === MIGRATED && operation === 'Apply') return false
    if (touch.manager !== '') return time > touch.at
    // The time is that of the manager's last write of any field, and that one may be recorded.
    const recorded = touches.some(
      (other) =>
        Math.abs(other.at - time) <= SAME_WRITE_MS && (other.manager === '' || other.manager === manager),
    )
    return time > touch.at + SAME_WRITE_MS && !recorded
  })
}

function managerOwner({ manager, operation, subresource, time }: FieldOwner): LineOwner {
  return {
    type: 'manager',
    name: manager || '?',
    operation,
    subresource,
    time,
    change: undefined,
    ambiguous: false,
  }
}

function touchOwner({ username, manager, operation, at, change, state }: TimedTouch): LineOwner {
  const known = username !== ''
  return {
    type: known ? 'person' : 'manager',
    name: known ? accountText(username) : manager || '?',
    operation,
    subresource: '',
    time: Number.isNaN(at) ? undefined : at,
    change,
    ambiguous: known && state === 'ambiguous',
  }
}
