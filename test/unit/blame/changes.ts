import type { Calendar } from '../../../src/cli/features/blame/calendar.ts'
import type {
  Change,
  ChangedObject,
  ChangeUser,
  ChangeVia,
  FieldChange,
} from '../../../src/core/wire/change.ts'

/** When the tests' screens are looked at. */
export const NOW = Date.parse('2026-11-21T11:00:00Z')

/** A calendar that is the same on every machine. */
export const utcCalendar: Calendar = (epochMs) => {
  const date = new Date(epochMs)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  }
}

/** What tells one change of a test from another; the rest is a confirmed update of deployment/web in shop. */
export interface ChangeSeed extends Partial<Omit<Change, 'object' | 'via' | 'user' | 'time' | 'changes'>> {
  readonly id?: string
  /** How long before NOW, in minutes. */
  readonly ago?: number
  /** Null for nobody. */
  readonly user?: string | ChangeUser | null
  readonly via?: Partial<ChangeVia>
  readonly object?: Partial<ChangedObject>
  readonly changes?: readonly FieldChange[]
}

/** A recorded change. */
export function change(seed: ChangeSeed = {}): Change {
  const { id = '1-1', ago = 4, user = 'dev-1@example.org', via, object, changes, ...rest } = seed
  return {
    apiVersion: 'deckwatch.dev/v1alpha1',
    kind: 'Change',
    metadata: { name: id, namespace: 'shop' },
    operation: 'UPDATE',
    time: new Date(NOW - ago * 60_000).toISOString(),
    state: 'confirmed',
    reason: '',
    object: {
      group: 'apps',
      version: 'v1',
      resource: 'deployments',
      subresource: '',
      kind: 'Deployment',
      namespace: 'shop',
      namespaceUid: 'shop-uid',
      name: 'web',
      uid: 'web-uid',
      resourceVersion: { before: '811', after: '815' },
      ...object,
    },
    ...(user === null ? {} : { user: typeof user === 'string' ? userOf(user) : user }),
    actor: 'person',
    via: {
      manager: 'kubectl-edit',
      tool: 'kubectl',
      source: '',
      revision: '',
      initiatedBy: '',
      manual: true,
      ...via,
    },
    changes: changes ?? [replaced('spec.replicas', 3, 6)],
    ...rest,
  }
}

/** A user without groups. */
export function userOf(username: string): ChangeUser {
  return { username, groups: [], extra: {} }
}

/** A field with a new value. */
export function replaced(path: string, from: unknown, to: unknown): FieldChange {
  return { path, op: 'replace', from, to }
}
