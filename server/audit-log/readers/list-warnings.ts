import { rfc3339Seconds } from '../../../src/core/lib/time.ts'
import {
  NOT_RECORDED,
  RECORDED_SINCE,
  UNRECORDED,
  type ChangeListExtra,
} from '../../../src/core/wire/change.ts'
import type { FieldRequirement } from '../../kit/api/resource.ts'
import type { ReadableState, RecorderState } from './change-source.ts'

/** What a page of changes is of, for what its reader should know of it. */
export interface ListedPage {
  readonly state: ReadableState
  /** As they are told, the newest first. */
  readonly gaps: ChangeListExtra['gaps']
  readonly fields: readonly FieldRequirement[]
  /** Epoch milliseconds, as asked for. */
  readonly sinceTime: number | undefined
  /** Epoch milliseconds: the span that the page covers, whether or not something is in it. */
  readonly span: { readonly from: number; readonly to: number }
}

/** What a page does not say of itself, one sentence each; they are sent as Warning headers, which kubectl shows. */
export function listWarnings({ state, gaps, fields, sinceTime, span }: ListedPage): string[] {
  const { ready, store } = state
  const lasting = gaps.filter(({ to }) => to === undefined).slice(0, 1)
  const unrecorded = unrecordedIn(fields, state)
  return [
    ...(ready.ok
      ? lasting.map(({ from, reason }) => `changes are not recorded since ${from}: ${reason}`)
      : [`changes are not recorded at present: ${ready.reason}`]),
    ...endedGaps(gaps, span),
    ...(unrecorded === undefined
      ? []
      : [
          `${UNRECORDED} ${unrecorded}: beside the built-in kinds, auditLog.resources says what is (kubectl deckwatch install --set)`,
        ]),
    ...(store.setAside === undefined
      ? []
      : [`the history was found damaged and begun anew at ${rfc3339Seconds(store.begins)}`]),
    ...(sinceTime === undefined || sinceTime >= store.begins
      ? []
      : [`${RECORDED_SINCE} ${rfc3339Seconds(store.begins)}`]),
  ]
}

/** The resource that a selector names and that is not recorded, as `replicasets.apps`; undefined where there is none. */
export function unrecordedIn(
  fields: readonly FieldRequirement[],
  { kinds }: Pick<RecorderState, 'kinds'>,
): string | undefined {
  const named = (name: string): string | undefined =>
    fields.find(({ field, operator }) => field === name && operator === '=')?.value
  const [resource, group] = [named('object.resource'), named('object.group')]
  if (resource === undefined) return undefined
  const recorded = kinds.some(
    (kind) => kind.resource === resource && (group === undefined || kind.group === group),
  )
  return recorded ? undefined : [resource, group].filter(Boolean).join('.')
}

/** Lasting gaps have a sentence of their own. */
function endedGaps(gaps: ListedPage['gaps'], span: ListedPage['span']): string[] {
  const within = gaps.filter(
    ({ from, to }) => to !== undefined && Date.parse(to) >= span.from && Date.parse(from) <= span.to,
  )
  const [newest, oldest] = [within[0], within.at(-1)]
  if (newest?.to === undefined || !oldest) return []
  const when = `from ${oldest.from} to ${newest.to}`
  if (within.length === 1) return [`${NOT_RECORDED} ${when}: ${newest.reason}`]
  const lost = within.reduce((sum, { from, to = from }) => sum + Date.parse(to) - Date.parse(from), 0)
  return [`${NOT_RECORDED} ${within.length} times ${when}, ${Math.round(lost / 1000)} s in all`]
}
