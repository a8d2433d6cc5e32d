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
  const quiet = withoutNoise(object)
  const writers = managedFieldsOf(object)
    .map((entry) => ({ entry, paths: ownedValues(entry.fieldsV1, quiet).map(({ path }) => path) }))
    .filter(({ paths }) => paths.length > 0)
  const ofThese = writers.filter(({ paths }) =>
    changes.some(({ path }) => paths.some((owned) => isWithin(owned, path) || isWithin(path, owned))),
  )
  const entry = newestOf(ofThese) ?? newestOf(writers) ?? newestEntry(object)
  return entry?.manager ?? ''
}

function newestOf(
  writers: readonly { readonly entry: ManagedFieldsEntry }[],
): ManagedFieldsEntry | undefined {
  return newestEntry({ metadata: { managedFields: writers.map(({ entry }) => entry) } })
}

function isWithin(path: string, outer: string): boolean {
  return outer === '' || path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`)
}
