import { formatCount } from '../../../core/lib/bytes.ts'
import type { ResourceType } from './ports.ts'
import { dayOrTime, momentText, type Calendar } from './calendar.ts'

/** Why people's names cannot be told. */
export type Lacking =
  /** No companion answers; `reason` where there is one that is down. */
  | { readonly type: 'no-companion'; readonly reason?: string | undefined }
  /** A companion without the component that records changes. */
  | { readonly type: 'no-audit-log' }
  /** `--companion=never` */
  | { readonly type: 'not-asked' }

/** One line for stderr: what the answer lacks without the companion, and how to get it. */
export function lackingHint(lacking: Lacking): string {
  switch (lacking.type) {
    case 'no-companion':
      return lacking.reason === undefined
        ? 'No companion, so managers, not people: kubectl deckwatch install --components audit-log'
        : `${lacking.reason}, so managers, not people: kubectl deckwatch status`
    case 'no-audit-log':
      return 'Nothing is recorded, so managers, not people: kubectl deckwatch install --components all'
    case 'not-asked':
      return 'The companion was not asked (--companion=never), so managers, not people'
  }
}

/** What is known where no change was found. */
export interface NothingFound {
  /** `deployment/web in shop`. */
  readonly subject: string
  /** RFC 3339; empty where not known. */
  readonly recordingSince: string
  /** Epoch milliseconds: when the object was made, where it exists. */
  readonly created: number | undefined
  /** How many changes of it are kept that the filters hide; undefined where not known. */
  readonly hidden: number | undefined
  readonly filtered: boolean
  readonly now: number
  readonly calendar: Calendar
}

/** One line for stderr: why there is nothing, and what would show something. */
export function nothingHint(found: NothingFound): string {
  const { subject, recordingSince, created, hidden, filtered, now, calendar } = found
  if (filtered) {
    const others =
      hidden === undefined || hidden === 0 ? '' : `; ${formatCount(hidden)} without these filters`
    return `No change of ${subject} matches${others}`
  }
  const since = Date.parse(recordingSince)
  if (Number.isNaN(since)) return `No change of ${subject} is recorded`
  const begins = dayOrTime(since, now, calendar)
  if (created !== undefined && created < since) {
    return `No change since recording began (${begins}); the object is of ${momentText(created, now, calendar)}. Its field managers: -f yaml`
  }
  return `No change of ${subject} is recorded; recording since ${begins}`
}

/** What is written by controllers for an owner, whose changes are recorded. */
const OWNERS: Readonly<Record<string, string>> = {
  'replicasets.apps': 'deployment',
  'controllerrevisions.apps': 'statefulset,daemonset',
  endpoints: 'service',
  'endpointslices.discovery.k8s.io': 'service',
}

/** As install refuses them: they are written all the time, or the API server sends no reviews. */
const NEVER_RECORDED = new Set(['events', 'events.events.k8s.io', 'leases.coordination.k8s.io'])
const UNREVIEWED_GROUP = 'admissionregistration.k8s.io'

/** Lines for stderr: that a type is not recorded, and where to look in place of that; `owned` where field managers are told. */
export function unrecordedHints(
  { resource, version, group }: Pick<ResourceType, 'resource' | 'version' | 'group'>,
  owned: boolean,
): readonly string[] {
  const name = [resource, group].filter(Boolean).join('.')
  const instead = owned ? ', so managers, not people' : ''
  const owner = OWNERS[name]
  const cannot = NEVER_RECORDED.has(name) || group === UNREVIEWED_GROUP
  const how = [resource, version, group].filter(Boolean).join('.')
  return [
    cannot
      ? `Changes of ${name} are not recorded, and cannot be${instead}`
      : `Changes of ${name} are not recorded${instead}${owner === undefined ? '' : `; those of their owners: kubectl blame ${owner}`}`,
    ...(cannot
      ? []
      : [`To record them, add to the flags of kubectl deckwatch install: --set auditLog.resources={${how}}`]),
  ]
}

/** Objects that exist and of which no change is recorded, in one line; undefined where there is none. */
export function untouchedHint(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined
  const shown = names.length <= 6 ? names : names.slice(0, 5)
  const more = names.length - shown.length
  return `No change recorded of ${shown.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`
}
