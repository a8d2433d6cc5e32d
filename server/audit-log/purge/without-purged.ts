import { parsePath } from '../../../src/core/model/field-path.ts'
import type { AdmissionRequest, KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { JournalEntry } from '../journal/journal.ts'
import type { PurgeFilter } from '../store/audit-store.ts'
import { removeFrom } from '../store/remove-values.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * What of an entry may be kept after a purge: all of it where it is about something else, nothing where the whole history
 * of its object is purged, and of one with a value that is to go who wrote and when. Such an object is left out whole:
 * with a part missing it would look like another write than the one that landed.
 */
export function withoutPurged(entry: JournalEntry, filter: PurgeFilter): JournalEntry | undefined {
  const { request } = entry
  if (!isAbout(request, filter)) return entry
  if (filter.path === undefined) return undefined
  const steps = parsePath(filter.path)
  const holds = (object: KubernetesObject | null | undefined): boolean =>
    [object, lastApplied(object)].some((value) => removeFrom(value, steps) !== value)
  if (!holds(request.object) && !holds(request.oldObject)) return entry
  const { object: _object, oldObject: _oldObject, ...rest } = request
  return { ...entry, request: { ...rest, name: nameOf(request) }, truncated: true }
}

function isAbout(request: AdmissionRequest, { group, resource, namespace, name }: PurgeFilter): boolean {
  const { resource: of } = request
  return (
    of.group === group &&
    of.resource === resource &&
    // Of a namespace itself the request names it as its namespace too.
    (request.namespace ?? '') === (group === '' && resource === 'namespaces' ? name : namespace) &&
    nameOf(request) === name
  )
}

/** A name that the server made is in the object alone. */
function nameOf({ name, object, oldObject }: AdmissionRequest): string {
  return object?.metadata?.name ?? oldObject?.metadata?.name ?? name ?? ''
}

/** The copy of itself that `kubectl apply` leaves in an object; undefined where there is none. */
function lastApplied(object: KubernetesObject | null | undefined): unknown {
  const text = object?.metadata?.annotations?.[LAST_APPLIED]
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
