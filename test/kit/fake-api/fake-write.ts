import { isDeepStrictEqual } from 'node:util'
import jsonPatch from 'fast-json-patch'
import type { FakeAnswer } from './fake-answer.ts'
import type { FakeRequest } from './fake-faults.ts'
import type { FakeTarget } from './fake-kinds.ts'
import { fakeStatus } from './fake-status.ts'
import type { FakeObject, FakeStore } from './fake-store.ts'

/** Answers a JSON patch, a creation or a deletion, also as a dry run; false for other ways to write. */
export function fakeWrite(
  store: FakeStore,
  { kind, namespace, name }: FakeTarget,
  request: FakeRequest,
  body: string,
  answer: FakeAnswer,
): boolean {
  const given = body === '' ? {} : (JSON.parse(body) as unknown)
  const today = name === undefined ? undefined : store.get(kind, namespace, name)
  const dryRun = request.query.get('dryRun') === 'All'
  if (request.method === 'POST' && name === undefined) {
    const object = given as FakeObject
    if (store.get(kind, namespace, object.metadata.name)) {
      answer.failure(409, 'AlreadyExists', `${kind.plural} "${object.metadata.name}" already exists`)
    } else answer.object(201, dryRun ? object : store.put(object))
    return true
  }
  if (name === undefined || (request.method !== 'PATCH' && request.method !== 'DELETE')) return false
  if (!today) answer.failure(404, 'NotFound', `${kind.plural} "${name}" not found`)
  else if (request.method === 'PATCH') {
    const patched = patchedBy(today, given as jsonPatch.Operation[])
    if (patched) answer.object(200, dryRun ? patched : store.put(patched))
    else {
      // The API server's words (handlers/patch.go, jsonPatcher).
      answer.failure(422, 'Invalid', 'the server rejected our request due to an error in our request')
    }
  } else {
    const { preconditions, dryRun: inBody } = given as { preconditions?: { uid?: string }; dryRun?: unknown }
    if (preconditions?.uid !== undefined && preconditions.uid !== today.metadata.uid) {
      answer.failure(409, 'Conflict', `the UID in the precondition (${preconditions.uid}) does not match`)
    } else {
      if (!isDeepStrictEqual(inBody, ['All'])) store.remove(kind.kind, namespace, name)
      answer.json(200, fakeStatus(200, '', ''))
    }
  }
  return true
}

/** Undefined where an operation, or a test among them, does not fit. */
function patchedBy(object: FakeObject, operations: readonly jsonPatch.Operation[]): FakeObject | undefined {
  try {
    return jsonPatch.applyPatch(structuredClone(object), operations, true).newDocument
  } catch {
    return undefined
  }
}
