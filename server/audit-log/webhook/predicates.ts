import type { AdmissionRequest } from '../../../src/core/wire/admission-review.ts'
import type { AuditLogConfig } from '../config.ts'
import { leavesOutNamespace } from '../left-out-namespace.ts'
import { matchesAny, matchesGlob } from '../matches-glob.ts'

/** Who wrote where: what exclusions look at. */
export type WrittenBy = Pick<AdmissionRequest, 'userInfo' | 'resource' | 'namespace' | 'name'>

/**
 * Whether a change is left out by whose it is, or where: the same that the webhook's conditions say, for reviews that were
 * sent before those were changed.
 */
export function excludes(
  config: Pick<AuditLogConfig, 'auditExclude' | 'auditInclude'>,
  request: WrittenBy,
): boolean {
  const { auditExclude, auditInclude } = config
  const { namespace = '', resource, name = '' } = request
  if (leavesOutNamespace(config, { ...resource, namespace, name })) return true
  if (PARTS.some((part) => auditExclude[part].length > 0 && matches[part](auditExclude[part], request)))
    return true
  return PARTS.some((part) => auditInclude[part].length > 0 && !matches[part](auditInclude[part], request))
}

/** Of a writer; namespaces are the other half. */
const PARTS = ['users', 'groups', 'extra'] as const

const matches: Readonly<
  Record<(typeof PARTS)[number], (patterns: readonly string[], request: WrittenBy) => boolean>
> = {
  users: (patterns, { userInfo: { username } }) => username !== undefined && matchesAny(patterns, username),
  groups: (patterns, { userInfo: { groups = [] } }) => groups.some((group) => matchesAny(patterns, group)),
  extra: (patterns, { userInfo: { extra = {} } }) =>
    patterns.some((pattern) => {
      const [key = '', ...value] = pattern.split('=')
      if (!Object.hasOwn(extra, key)) return false
      return extra[key]?.some((text) => matchesGlob(value.join('='), text)) ?? false
    }),
}
