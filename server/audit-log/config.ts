/** What is recorded: the webhook's rules, its conditions and the recorder's watches are all made from it. */
export interface RecordedResource {
  readonly group: string
  readonly version: string
  /** Plural, lower case. */
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  /** Subresources whose writes are recorded too: `scale`, `ephemeralcontainers`, `resize`, `eviction`. */
  readonly subresources: readonly string[]
  readonly operations: readonly ('CREATE' | 'UPDATE' | 'DELETE')[]
  /**
   * How what landed is seen: `full` objects are watched, `metadata` only their metadata is (pods: whose writes are
   * recorded only where people create and delete), `none` for Secrets, whose values nobody shall list.
   */
  readonly watch: 'full' | 'metadata' | 'none'
  /** Where its scale keeps the number, as keys, where that is not spec.replicas (specReplicasPath of its definition). */
  readonly replicas?: readonly string[]
}

/** Whose changes are left out. */
export interface Exclusions {
  /** User names, `*` for any text: `system:node:*`. */
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly namespaces: readonly string[]
  /** `key=value` of the user's extra. */
  readonly extra: readonly string[]
}

/** Options of the audit log. */
export interface AuditLogConfig {
  /** Beside the built-in ones: `certificates.v1.cert-manager.io` (RESOURCE.VERSION.GROUP). */
  readonly auditResources: readonly string[]
  readonly auditExclude: Exclusions
  /** Where any is set, only changes that match one of each kind that is set are recorded. */
  readonly auditInclude: Exclusions
  /** CEL expressions that must all be true (admissionregistration.k8s.io matchConditions). */
  readonly auditConditions: readonly { readonly name: string; readonly expression: string }[]
  /** Records exec, attach and port-forward, without arguments. */
  readonly auditAccess: boolean
  /** Watches Secrets too, by their metadata, so that their changes are confirmed like others. */
  readonly auditWatchSecrets: boolean
  /** Further fields whose values are not kept: `RESOURCE.GROUP:PATH`, `*` for any list entry or key. */
  readonly auditRedact: readonly string[]
  readonly auditHistoryMs: number
  readonly auditSecretsMs: number
  readonly auditPerObject: number
  readonly auditKeepLast: number
  readonly auditBytes: number
  readonly auditJournalBytes: number
  /** Of the ValidatingWebhookConfiguration. */
  readonly auditWebhook: string
  /** `postgres://…`; empty: SQLite on the volume. */
  readonly store: string
  /** Who is told of changes that landed; undefined: nobody. */
  readonly auditExport: ExportTarget | undefined
}

/** Where changes are exported to. */
export interface ExportTarget {
  /** `https://collector:4318/v1/logs`. */
  readonly url: string
  /** OTLP/HTTP with JSON, or the changes as JSON, one a line (application/x-ndjson). */
  readonly format: 'otlp' | 'jsonl'
  /** Such as `authorization`; never shown. */
  readonly headers: Readonly<Record<string, string>>
}
