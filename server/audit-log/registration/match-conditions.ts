import type { AuditLogConfig, Exclusions } from '../config.ts'
import { celMatches, celText } from './cel.ts'

/** One entry of a webhook's `matchConditions` (admissionregistration.k8s.io/v1). */
export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

/** What the conditions are made from. */
export interface ConditionOptions {
  readonly config: Pick<AuditLogConfig, 'auditExclude' | 'auditInclude' | 'auditConditions'>
  /** User names of the companion itself. */
  readonly ownUsers: readonly string[]
  /** Of pods, what the cluster's own machinery writes is not recorded. */
  readonly podsByPeople: boolean
}

/** Kubernetes skips the webhook where there are more. */
export const MOST_CONDITIONS = 64

/** Names of our own have a prefix, so that no condition of a user has the same. */
const OWN = 'deckwatch.dev/'

const USERNAME = 'request.userInfo.username'

/**
 * Each must be true for a write to be recorded. An expression that fails skips the webhook without a word where the failure
 * policy is Ignore, so ours are total: fields that may be missing are asked for with has().
 */
export function matchConditions(options: ConditionOptions): readonly MatchCondition[] {
  const { config, ownUsers, podsByPeople } = options
  const { auditExclude, auditInclude, auditConditions } = config
  return [
    { name: `${OWN}not-by-itself`, expression: `!(${byUser(ownUsers)})` },
    ...(podsByPeople ? [{ name: `${OWN}pods-by-people`, expression: PODS_BY_PEOPLE }] : []),
    ...whose(auditExclude).map(([part, expression]) => ({
      name: `${OWN}exclude-${part}`,
      expression: `!(${expression})`,
    })),
    ...whose(auditInclude).map(([part, expression]) => ({ name: `${OWN}include-${part}`, expression })),
    ...auditConditions,
  ]
}

/** What of the exclusion of namespaces a selector cannot say: names with `*`. */
export function namespacePatterns({ namespaces }: Exclusions): readonly string[] {
  return namespaces.filter((name) => name.includes('*'))
}

/** Nodes and the controllers of kube-system make and delete pods all the time, as consequences of other changes. */
const PODS_BY_PEOPLE = [
  'request.resource.group != ""',
  'request.resource.resource != "pods"',
  '(has(request.subResource) && request.subResource != "")',
  `!(${byUser([
    'system:kube-scheduler',
    'system:kube-controller-manager',
    'system:node:*',
    'system:serviceaccount:kube-system:*',
  ])})`,
].join(' || ')

function whose(writers: Exclusions): readonly (readonly [part: string, expression: string])[] {
  const { users, groups, namespaces, extra } = writers
  return [
    ...(users.length === 0 ? [] : [['users', byUser(users)] as const]),
    ...(groups.length === 0 ? [] : [['groups', inGroup(groups)] as const]),
    ...(namespaces.length === 0 ? [] : [['namespaces', celMatches(PLACE, namespaces)] as const]),
    ...(extra.length === 0 ? [] : [['extra', withExtra(extra)] as const]),
  ]
}

function byUser(patterns: readonly string[]): string {
  return `has(${USERNAME}) && (${celMatches(USERNAME, patterns)})`
}

function inGroup(patterns: readonly string[]): string {
  return `has(request.userInfo.groups) && request.userInfo.groups.exists(g, ${celMatches('g', patterns)})`
}

/** The namespace that a request is about; one that is itself changed counts as in itself. */
const PLACE =
  '(has(request.namespace) && request.namespace != "" ? request.namespace : ' +
  '(request.resource.group == "" && request.resource.resource == "namespaces" && has(request.name) ? request.name : ""))'

function withExtra(pairs: readonly string[]): string {
  const values = new Map<string, string[]>()
  for (const pair of pairs) {
    const [key = '', ...rest] = pair.split('=')
    values.set(key, [...(values.get(key) ?? []), rest.join('=')])
  }
  const all = 'request.userInfo.extra'
  const terms = [...values].map(
    ([key, patterns]) =>
      `(${celText(key)} in ${all} && ${all}[${celText(key)}].exists(v, ${celMatches('v', patterns)}))`,
  )
  return `has(${all}) && (${terms.join(' || ')})`
}
