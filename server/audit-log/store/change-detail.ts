import type { FieldChange } from '../../../src/core/wire/change.ts'
import type { ChangeRecord } from './audit-store.ts'
import { FIELD_OPERATIONS } from './change-codes.ts'
import { joinPath, splitPath, type SplitPath } from './path-set.ts'

/** What is kept of a change beside the columns of its row; short names, for there is one of these for each change. */
interface KeptDetail {
  readonly c: readonly KeptField[]
  readonly s?: string
  readonly r?: string
  readonly i?: string
  readonly t?: 1
}

interface KeptField {
  readonly o: number
  /** The path as it is, where the set of paths is not shared. */
  readonly p?: string
  /** What stands in the path's brackets, where it is. */
  readonly k?: readonly string[]
  readonly a?: unknown
  readonly b?: unknown
  readonly l?: FieldChange['lines']
  readonly n?: FieldChange['index']
}

/** The templates of a change's paths in their order; undefined where a path cannot be taken apart. */
export function pathSetOf(changes: readonly FieldChange[]): readonly string[] | undefined {
  const split = trySplit(changes)
  return split?.map(({ template }) => template)
}

function trySplit(changes: readonly FieldChange[]): SplitPath[] | undefined {
  try {
    return changes.map(({ path }) => splitPath(path))
  } catch {
    return undefined
  }
}

/** The detail as it is encoded; with `shared`, without what the path set says. */
export function detailOf({ changes, via, truncated }: ChangeRecord, shared: boolean): unknown {
  const kept: KeptDetail = {
    c: changes.map((change) => keptField(change, shared)),
    ...(via.source === '' ? {} : { s: via.source }),
    ...(via.revision === '' ? {} : { r: via.revision }),
    ...(via.initiatedBy === '' ? {} : { i: via.initiatedBy }),
    ...(truncated ? { t: 1 } : {}),
  }
  return kept
}

function keptField({ path, op, lines, index, ...values }: FieldChange, shared: boolean): KeptField {
  const { fills } = shared ? splitPath(path) : { fills: [] }
  return {
    o: FIELD_OPERATIONS.code(op),
    ...(shared ? {} : { p: path }),
    ...(fills.length > 0 ? { k: fills } : {}),
    ...('from' in values ? { a: values.from } : {}),
    ...('to' in values ? { b: values.to } : {}),
    ...(lines ? { l: lines } : {}),
    ...(index ? { n: index } : {}),
  }
}

/** What a detail says, of a change with this path set. */
export function readDetail(
  detail: unknown,
  paths: readonly string[] | undefined,
): Pick<ChangeRecord, 'changes' | 'truncated'> & {
  readonly source: string
  readonly revision: string
  readonly initiatedBy: string
} {
  const { c, s = '', r = '', i = '', t } = detail as KeptDetail
  return {
    changes: c.map((field, place) => readField(field, paths?.[place])),
    source: s,
    revision: r,
    initiatedBy: i,
    ...(t ? { truncated: true } : {}),
  }
}

function readField(field: KeptField, template: string | undefined): FieldChange {
  const { o, p, k, l, n } = field
  return {
    path: p ?? joinPath({ template: template ?? '', fills: k ?? [] }),
    op: FIELD_OPERATIONS.word(o),
    ...('a' in field ? { from: field.a } : {}),
    ...('b' in field ? { to: field.b } : {}),
    ...(l ? { lines: l } : {}),
    ...(n ? { index: n } : {}),
  }
}
