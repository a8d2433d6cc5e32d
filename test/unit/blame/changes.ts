import type { Calendar } from '../../../src/cli/features/blame/calendar.ts'
import type { Change, ChangeUser, FieldChange } from '../../../src/core/wire/change.ts'
import { sampleChange, type SampleParts, userNamed } from '../../kit/sample-change.ts'

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
export interface ChangeSeed extends Omit<SampleParts, 'user'>, Pick<Partial<Change>, 'metadata' | 'kind'> {
  readonly id?: string
  /** How long before NOW, in minutes. */
  readonly ago?: number
  /** Null for nobody. */
  readonly user?: string | ChangeUser | null
}

/** A recorded change. */
export function change(seed: ChangeSeed = {}): Change {
  const { id = '1-1', ago = 4, user = 'dev-1@example.org', object, ...rest } = seed
  return {
    apiVersion: 'deckwatch.dev/v1alpha1',
    kind: 'Change',
    metadata: { name: id, namespace: 'shop' },
    time: new Date(NOW - ago * 60_000).toISOString(),
    ...sampleChange({
      changes: [replaced('spec.replicas', 3, 6)],
      ...rest,
      object: { resourceVersion: { before: '811', after: '815' }, ...object },
      ...(user === null ? {} : { user: typeof user === 'string' ? userNamed(user) : user }),
    }),
  }
}

/** A field with a new value. */
export function replaced(path: string, from: unknown, to: unknown): FieldChange {
  return { path, op: 'replace', from, to }
}
