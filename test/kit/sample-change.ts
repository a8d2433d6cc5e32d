import type { ChangeQuery, ChangeRecord } from '../../server/audit-log/store/audit-store.ts'
import type { ChangedObject, ChangeUser, ChangeVia } from '../../src/core/wire/change.ts'

/** What a change is in every form: as it is recorded, kept and served. */
export type SampleChange = Omit<ChangeRecord, 'id' | 'time'>

/** What tells a sample from others. */
export type SampleParts = Partial<Omit<SampleChange, 'object' | 'via'>> & {
  readonly object?: Partial<ChangedObject>
  readonly via?: Partial<ChangeVia>
}

/** A user as the API server knows them. */
export function userNamed(username: string, groups: readonly string[] = []): ChangeUser {
  return { username, groups, extra: {} }
}

/** Deployment web in the namespace shop, where nothing else is said; uids follow the names. */
export function changedObject(more: Partial<ChangedObject> = {}): ChangedObject {
  const { namespace = 'shop', name = 'web' } = more
  return {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    subresource: '',
    kind: 'Deployment',
    namespace,
    namespaceUid: namespace && `uid-of-${namespace}`,
    name,
    uid: `uid-of-${name}`,
    resourceVersion: { before: '1', after: '2' },
    ...more,
  }
}

/** With kubectl edit, where nothing else is said. */
export function madeVia(more: Partial<ChangeVia> = {}): ChangeVia {
  return {
    manager: 'kubectl-edit',
    tool: 'kubectl',
    source: '',
    revision: '',
    initiatedBy: '',
    manual: true,
    ...more,
  }
}

/** A confirmed update by a person, without a name and without fields. */
export function sampleChange({ object, via, ...more }: SampleParts = {}): SampleChange {
  return {
    operation: 'UPDATE',
    state: 'confirmed',
    reason: '',
    actor: 'person',
    changes: [],
    ...more,
    object: changedObject(object),
    via: madeVia(via),
  }
}

/** A query for everything that landed, where nothing else is said. */
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
