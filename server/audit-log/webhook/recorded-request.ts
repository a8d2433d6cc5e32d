import type { AdmissionRequest, KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { Redactor } from '../../../src/core/model/redact-object.ts'
import type { JournalEntry } from '../journal/journal.ts'
import { isSound } from './sound-object.ts'

/** What the journal keeps of a request: redacted, and without its objects where that cannot be done or they are unsound. */
export function recordedRequest(
  request: AdmissionRequest,
  redactor: Redactor,
): Pick<JournalEntry, 'request' | 'truncated'> {
  if (request.operation === 'CONNECT') return { request: recordedAccess(request) }
  const { object, oldObject, ...facts } = request
  if ([object, oldObject].some((one) => one && !isSound(one))) return { request: facts, truncated: true }
  try {
    return {
      request: {
        ...facts,
        ...(object ? { object: redactor(request.resource, object) } : {}),
        ...(oldObject ? { oldObject: redactor(request.resource, oldObject) } : {}),
      },
    }
  } catch {
    return { request: facts, truncated: true }
  }
}

/** Of an access: whose container, and by which subresource. Commands and paths may hold anything. */
function recordedAccess({ object, oldObject: _oldObject, ...facts }: AdmissionRequest): AdmissionRequest {
  if (!object) return facts
  const kept: KubernetesObject = {
    ...(typeof object.apiVersion === 'string' ? { apiVersion: object.apiVersion } : {}),
    ...(typeof object.kind === 'string' ? { kind: object.kind } : {}),
    ...(typeof object.container === 'string' ? { container: object.container } : {}),
  }
  return { ...facts, object: kept }
}
