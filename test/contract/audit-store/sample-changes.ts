import type {
  ChangeQuery,
  ChangeRecord,
  KnownObject,
  RecordBatch,
  RetentionLimits,
} from '../../../server/audit-log/store/audit-store.ts'
import type { ChangedObject, ChangeUser } from '../../../src/core/wire/change.ts'

/** When the samples begin, in epoch milliseconds. */
export const NOON = Date.UTC(2026, 10, 21, 12)

/** A person. */
export function person(username: string, groups: readonly string[] = ['dev']): ChangeUser {
  return { username, groups, extra: {} }
}

/** A Deployment in the namespace shop. */
export function deployment(name: string, more: Partial<ChangedObject> = {}): ChangedObject {
  return {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    subresource: '',
    kind: 'Deployment',
    namespace: 'shop',
    namespaceUid: 'shop-uid',
    name,
    uid: `uid-of-${name}`,
    resourceVersion: { before: '1', after: '2' },
    ...more,
  }
}

/** A Secret in the namespace shop. */
export function secret(name: string, more: Partial<ChangedObject> = {}): ChangedObject {
  return deployment(name, { group: '', resource: 'secrets', kind: 'Secret', ...more })
}

/** A confirmed change of a Deployment by alice, a second after noon for each seq. */
export function change(seq: number, more: Partial<ChangeRecord> = {}): ChangeRecord {
  return {
    id: { writer: 7, seq },
    time: NOON + seq * 1000,
    operation: 'UPDATE',
    state: 'confirmed',
    reason: '',
    object: deployment('web'),
    user: person('alice'),
    actor: 'person',
    via: {
      manager: 'kubectl-edit',
      tool: 'kubectl',
      source: '',
      revision: '',
      initiatedBy: '',
      manual: true,
    },
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

/** A query for everything that landed. */
export function everything(more: Partial<ChangeQuery> = {}): ChangeQuery {
  return {
    namespace: undefined,
    namespaceUid: undefined,
    visible: 'all',
    fields: [],
    states: [],
    since: undefined,
    until: undefined,
    perObject: undefined,
    ...more,
  }
}

/** Limits that nothing reaches. */
export function limits(more: Partial<RetentionLimits> = {}): RetentionLimits {
  return { maxAgeMs: 1e12, secretsMaxAgeMs: 1e12, perObject: 1e6, keepLast: 10, maxBytes: 1e12, ...more }
}
