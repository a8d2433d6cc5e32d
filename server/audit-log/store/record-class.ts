import type { ChangeRecord } from './audit-store.ts'

/** The class by which a change's detail is compressed: whole objects are like each other, and so are diffs. */
export function detailClass({ changes, object }: Pick<ChangeRecord, 'changes' | 'object'>): string {
  return changes.some(({ path }) => path === '') ? `whole ${bodyClass(object)}` : 'diff'
}

/** The class by which an object's last body is compressed. */
export function bodyClass({
  group,
  resource,
}: {
  readonly group: string
  readonly resource: string
}): string {
  return `${resource}.${group}`
}
