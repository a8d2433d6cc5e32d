import type { FieldChange } from '../wire/change.ts'
import { invertLines } from './object-diff-lines.ts'

/** The diff that leads back. */
export function invertChanges(changes: readonly FieldChange[]): FieldChange[] {
  return changes.map(invertChange)
}

const INVERSE = { add: 'remove', remove: 'add', replace: 'replace' } as const

function invertChange(change: FieldChange): FieldChange {
  const { from: _from, to: _to, index, ...rest } = change
  return {
    ...rest,
    op: INVERSE[change.op],
    ...(Object.hasOwn(change, 'to') ? { from: change.to } : {}),
    ...(Object.hasOwn(change, 'from') ? { to: change.from } : {}),
    ...(change.lines ? { lines: invertLines(change.lines) } : {}),
    ...(index ? { index: invertIndex(index) } : {}),
  }
}

function invertIndex({ from, to }: NonNullable<FieldChange['index']>): NonNullable<FieldChange['index']> {
  return { ...(to === undefined ? {} : { from: to }), ...(from === undefined ? {} : { to: from }) }
}
