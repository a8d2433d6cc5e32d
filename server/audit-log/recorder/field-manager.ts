import { managedFieldsOf } from '../../../src/core/model/field-owners.ts'
import { ownedValues } from '../../../src/core/model/field-owners-values.ts'
import { withoutNoise } from '../../../src/core/model/object-noise.ts'
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/core/wire/admission-review.ts'
import type { FieldChange } from '../../../src/core/wire/change.ts'
import { newestEntry } from './silent-writes.ts'

/**
 * The field manager behind changes that nobody reviewed: of those that managedFields names for the changed fields the
 * one that wrote last; where a field was removed and has none, the one that last wrote anything but noise. The newest
 * entry alone would name the Deployment controller, which numbers each rollout a moment after whoever began it.
 */
export function managerOf(object: KubernetesObject | undefined, changes: readonly FieldChange[]): string {
  if (!object) return ''
  const { ofThese, all } = writersOf(object, changes)
  const entry = newestOf(ofThese) ?? newestOf(all) ?? newestEntry(object)
  return entry?.manager ?? ''
}

/**
 * When changes that nobody reviewed were written, in epoch milliseconds: by managedFields, which keep one time for each
 * manager (to the second), of the one that wrote last of those that have the changed fields; undefined where none has.
 */
export function writtenAt(
  object: KubernetesObject | undefined,
  changes: readonly FieldChange[],
): number | undefined {
  const entry = object && newestOf(writersOf(object, changes).ofThese)
  const time = Date.parse(entry?.time ?? '')
  return Number.isNaN(time) ? undefined : time
}

interface Writer {
  readonly entry: ManagedFieldsEntry
  readonly paths: readonly string[]
}

/** Who wrote anything but noise, and who of them has fields that changed. */
function writersOf(
  object: KubernetesObject,
  changes: readonly FieldChange[],
): { readonly all: readonly Writer[]; readonly ofThese: readonly Writer[] } {
  const quiet = withoutNoise(object)
  const all = managedFieldsOf(object)
    .map((entry) => ({ entry, paths: ownedValues(entry.fieldsV1, quiet).map(({ path }) => path) }))
    .filter(({ paths }) => paths.length > 0)
  const ofThese = all.filter(({ paths }) =>
    changes.some(({ path }) => paths.some((owned) => isWithin(owned, path) || isWithin(path, owned))),
  )
  return { all, ofThese }
}

function newestOf(writers: readonly Writer[]): ManagedFieldsEntry | undefined {
  return newestEntry({ metadata: { managedFields: writers.map(({ entry }) => entry) } })
}

function isWithin(path: string, outer: string): boolean {
  return outer === '' || path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`)
}
