import { resourceKey } from '../resource-key.ts'
import type { ChangeRecord } from './audit-store.ts'

/** The class by which a change's detail is compressed: whole objects are like others of their kind, and diffs like diffs. */
export function detailClass({ changes, object }: Pick<ChangeRecord, 'changes' | 'object'>): string {
  return changes.some(({ path }) => path === '') ? `whole ${resourceKey(object)}` : 'diff'
}
