import type { AuditLogConfig, RecordedResource } from '../config.ts'
import { SUBRESOURCE_OPERATIONS, unrecordedNamespaces } from '../recorded-resources.ts'
import { matchConditions, type MatchCondition, namespacePatterns } from './match-conditions.ts'

/** What the webhooks are made from. */
export interface WebhookOptions {
  readonly config: Pick<AuditLogConfig, 'auditExclude' | 'auditInclude' | 'auditConditions' | 'auditAccess'>
  readonly resources: readonly RecordedResource[]
  /** The Service that the API server sends reviews to. */
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  /** With a segment that nobody can guess. */
  readonly path: string
  /** PEM of who signed the certificate that is met there. */
  readonly bundle: string
  /** Namespaces of the companion, in which nothing is recorded. */
  readonly ownNamespaces: readonly string[]
  /** User names of the companion. */
  readonly ownUsers: readonly string[]
}

/** One entry of `webhooks` (admissionregistration.k8s.io/v1), with what the API server would fill in. */
export interface ValidatingWebhook {
  readonly name: string
  readonly clientConfig: {
    readonly service: {
      readonly namespace: string
      readonly name: string
      readonly path: string
      readonly port: number
    }
    /** Base64 of PEM. */
    readonly caBundle: string
  }
  readonly rules: readonly WebhookRule[]
  readonly failurePolicy: 'Ignore'
  readonly matchPolicy: 'Equivalent'
  readonly namespaceSelector: {
    readonly matchExpressions: readonly {
      readonly key: string
      readonly operator: 'NotIn'
      readonly values: readonly string[]
    }[]
  }
  /** Matches all: users could skip the webhook by a label otherwise. */
  readonly objectSelector: Readonly<Record<string, never>>
  readonly sideEffects: 'NoneOnDryRun'
  readonly timeoutSeconds: number
  readonly admissionReviewVersions: readonly ['v1']
  readonly matchConditions: readonly MatchCondition[]
}

interface WebhookRule {
  readonly operations: readonly string[]
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly resources: readonly string[]
  readonly scope: 'Namespaced' | 'Cluster'
}

/** The names of the webhooks, under which the cluster's audit log has our annotations. */
const WEBHOOK_NAMES = {
  changes: 'changes.audit-log.deckwatch.dev',
  access: 'access.audit-log.deckwatch.dev',
} as const

/** More than an answer ever takes; beyond it a write goes on, and is known by the watch alone. */
const TIMEOUT_SECONDS = 1

const ACCESS_RULES: readonly WebhookRule[] = [
  {
    operations: ['CONNECT'],
    apiGroups: [''],
    apiVersions: ['v1'],
    resources: ['pods/exec', 'pods/attach', 'pods/portforward'],
    scope: 'Namespaced',
  },
]

/** What the API server is told to send: one webhook for writes, and one for access where that is recorded. */
export function webhooksOf(options: WebhookOptions): readonly ValidatingWebhook[] {
  const { config, resources, service, path, bundle, ownUsers } = options
  const { namespaces: excluded } = config.auditExclude
  const left = [
    ...unrecordedNamespaces(options.ownNamespaces),
    ...excluded.filter((name) => !name.includes('*')),
  ]
  const exclude = { ...config.auditExclude, namespaces: namespacePatterns(config.auditExclude) }
  const conditions = { config: { ...config, auditExclude: exclude }, ownUsers }
  const shared = {
    clientConfig: {
      service: { ...service, path },
      caBundle: Buffer.from(bundle).toString('base64'),
    },
    failurePolicy: 'Ignore',
    matchPolicy: 'Equivalent',
    namespaceSelector: {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [...new Set(left)] },
      ],
    },
    objectSelector: {},
    sideEffects: 'NoneOnDryRun',
    timeoutSeconds: TIMEOUT_SECONDS,
    admissionReviewVersions: ['v1'],
  } as const
  const podsByPeople = resources.some(
    ({ group, resource, watch }) => group === '' && resource === 'pods' && watch === 'metadata',
  )
  return [
    {
      name: WEBHOOK_NAMES.changes,
      ...shared,
      rules: rulesOf(resources),
      matchConditions: matchConditions({ ...conditions, podsByPeople }),
    },
    ...(config.auditAccess
      ? [
          {
            name: WEBHOOK_NAMES.access,
            ...shared,
            rules: ACCESS_RULES,
            matchConditions: matchConditions({ ...conditions, podsByPeople: false }),
          },
        ]
      : []),
  ]
}

/** Subresources are named one by one: a rule on a resource does not match them. */
function rulesOf(resources: readonly RecordedResource[]): readonly WebhookRule[] {
  const rules = new Map<string, WebhookRule>()
  const add = (
    { group, version, namespaced }: RecordedResource,
    operations: readonly string[],
    name: string,
  ): void => {
    const key = JSON.stringify([group, version, namespaced, operations])
    const known = rules.get(key)
    rules.set(key, {
      operations,
      apiGroups: [group],
      apiVersions: [version],
      resources: [...(known?.resources ?? []), name],
      scope: namespaced ? 'Namespaced' : 'Cluster',
    })
  }
  for (const recorded of resources) {
    add(recorded, recorded.operations, recorded.resource)
    for (const subresource of recorded.subresources) {
      const operation = SUBRESOURCE_OPERATIONS[subresource]
      if (operation !== undefined) add(recorded, [operation], `${recorded.resource}/${subresource}`)
    }
  }
  return [...rules.values()]
}
