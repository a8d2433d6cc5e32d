import type {
  ChangeRecord,
  KnownObject,
  RecordBatch,
  RetentionLimits,
} from '../../../server/audit-log/store/audit-store.ts'
import type { ChangedObject, ChangeUser } from '../../../src/core/wire/change.ts'
import { changedObject, sampleChange, userNamed } from '../../kit/sample-change.ts'

/** When the samples begin, in epoch milliseconds. */
export const NOON = Date.UTC(2026, 10, 21, 12)

/** A person. */
export function person(username: string, groups: readonly string[] = ['dev']): ChangeUser {
  return userNamed(username, groups)
}

/** A Deployment in the namespace shop. */
export function deployment(name: string, more: Partial<ChangedObject> = {}): ChangedObject {
  return changedObject({ name, ...more })
}

/** A Secret in the namespace shop. */
export function secret(name: string, more: Partial<ChangedObject> = {}): ChangedObject {
  return deployment(name, { group: '', resource: 'secrets', kind: 'Secret', ...more })
}

/** A confirmed change of a Deployment by alice, a second after noon for each seq. */
export function change(seq: number, more: Partial<ChangeRecord> = {}): ChangeRecord {
  return {
    ...sampleChange({ user: person('alice') }),
    id: { writer: 7, seq },
    time: NOON + seq * 1000,
    changes: [{ path: 'spec.replicas', op: 'replace', from: seq, to: seq + 1 }],
    ...more,
  }
}

/** What a recorder knows of an object. */
export function knownAs(object: ChangedObject, more: Partial<KnownObject> = {}): KnownObject {
  const { subresource: _, resourceVersion, ...identity } = object
  return { object: identity, resourceVersion: resourceVersion.after, hash: 'h', body: { spec: {} }, ...more }
}

/** A batch with nothing but what is given. */
export function batch(more: Partial<RecordBatch>): RecordBatch {
  return { added: [], decided: [], known: [], gaps: [], ...more }
}

/** Limits that nothing reaches. */
export function limits(more: Partial<RetentionLimits> = {}): RetentionLimits {
  return { maxAgeMs: 1e12, secretsMaxAgeMs: 1e12, perObject: 1e6, keepLast: 10, maxBytes: 1e12, ...more }
}
