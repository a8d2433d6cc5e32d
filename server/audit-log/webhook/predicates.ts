import type { AdmissionRequest } from '../../../src/core/wire/admission-review.ts'
import type { AuditLogConfig, Exclusions } from '../config.ts'
import { matchesGlob } from '../matches-glob.ts'

/** Who wrote where: what exclusions look at. */
export type WrittenBy = Pick<AdmissionRequest, 'userInfo' | 'resource' | 'namespace' | 'name'>

/**
 * Whether a change is left out by whose it is, or where: the same that the webhook's conditions say, for reviews that were
 * sent before those were changed.
 */
export function excludes(
  { auditExclude, auditInclude }: Pick<AuditLogConfig, 'auditExclude' | 'auditInclude'>,
  request: WrittenBy,
): boolean {
  if (PARTS.some((part) => auditExclude[part].length > 0 && matches[part](auditExclude[part], request)))
    return true
  return PARTS.some((part) => auditInclude[part].length > 0 && !matches[part](auditInclude[part], request))
}

const PARTS = ['users', 'groups', 'namespaces', 'extra'] as const

const matches: Readonly<
  Record<keyof Exclusions, (patterns: readonly string[], request: WrittenBy) => boolean>
> = {
  users: (patterns, { userInfo: { username } }) => username !== undefined && matchesAny(patterns, username),
  groups: (patterns, { userInfo: { groups = [] } }) => groups.some((group) => matchesAny(patterns, group)),
  namespaces: (patterns, request) => matchesAny(patterns, placeOf(request)),
  extra: (patterns, { userInfo: { extra = {} } }) =>
    patterns.some((pattern) => {
      const [key = '', ...value] = pattern.split('=')
      if (!Object.hasOwn(extra, key)) return false
      return extra[key]?.some((text) => matchesGlob(value.join('='), text)) ?? false
    }),
}

/** The namespace that a request is about; one that is itself changed counts as in itself. */
function placeOf({ namespace = '', resource, name = '' }: WrittenBy): string {
  if (namespace !== '') return namespace
  return resource.group === '' && resource.resource === 'namespaces' ? name : ''
}

function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, text))
}
