import type { LOG_LEVELS } from '../log.ts'

/** What can run in a process of the companion. */
export const COMPONENTS = ['api', 'image-graph', 'audit-log'] as const

/** The api, or a room by its name. */
export type ComponentName = (typeof COMPONENTS)[number]

/** A room that runs in another pod, and where its readers are served. */
export interface PeerAddress {
  readonly component: Exclude<ComponentName, 'api'>
  readonly host: string
  readonly port: number
}

/** How large something may become: so many bytes, or that part of the volume (0 to 1). */
export type SizeLimit = { readonly bytes: number } | { readonly share: number }

/** What the audit log is told from outside. */
export interface AuditConfig {
  /** RESOURCE.VERSION.GROUP, beside the built-in ones. */
  readonly auditResources: readonly string[]
  readonly auditExcludeUsers: readonly string[]
  readonly auditExcludeGroups: readonly string[]
  readonly auditExcludeNamespaces: readonly string[]
  /** `KEY=VALUE`. */
  readonly auditExcludeExtra: readonly string[]
  readonly auditIncludeUsers: readonly string[]
  readonly auditIncludeGroups: readonly string[]
  readonly auditIncludeNamespaces: readonly string[]
  readonly auditIncludeExtra: readonly string[]
  readonly auditConditions: readonly { readonly name: string; readonly expression: string }[]
  readonly auditAccess: boolean
  readonly auditWatchSecrets: boolean
  readonly auditRedact: readonly string[]
  readonly auditHistoryMs: number
  readonly auditSecretsMs: number
  readonly auditPerObject: number
  readonly auditKeepLast: number
  readonly auditSize: SizeLimit
  readonly auditJournalBytes: number
  /** The Service by which the API server reaches the webhook; an empty name: the api's own. */
  readonly auditService: { readonly name: string; readonly port: number }
  /** The ValidatingWebhookConfiguration that is kept right; empty: none, and nothing is recorded. */
  readonly auditWebhook: string
  /** Where changes that landed are told to; empty: nowhere. */
  readonly auditExport: string
  readonly auditExportFormat: 'otlp' | 'jsonl'
  /** Of each request to it; secret. */
  readonly auditExportHeaders: Readonly<Record<string, string>>
}

/** Everything that a process of the companion is told from outside; times in milliseconds, sizes in bytes. */
export interface Config extends AuditConfig {
  readonly components: readonly ComponentName[]
  readonly peers: readonly PeerAddress[]
  /** Empty: the pod's own, or the kubeconfig's. */
  readonly namespace: string
  readonly service: string
  /** Empty: the host's name. */
  readonly podName: string
  /** Both empty: the pod's own account, or the kubeconfig that kubectl would use. */
  readonly kubeconfig: string
  readonly context: string
  readonly data: string
  /** `:10250`, `127.0.0.1:0`; empty where it is switched off. */
  readonly apiAddress: string
  readonly peerAddress: string
  readonly metricsAddress: string
  readonly metricsAuth: boolean
  readonly tokenFile: string
  /** Empty: the api's Service. */
  readonly leafUrl: string
  readonly peerAccounts: readonly string[]
  /** Empty: nobody's caBundle is written. */
  readonly apiService: string
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly historyMs: number
  readonly historyEvents: number
  readonly historyBytes: number
  /** Open at once: of this process, and of one user. */
  readonly watches: number
  readonly watchesPerUser: number
  /** Of one user; twice as many may come at once. */
  readonly requestsPerSecond: number
  readonly shutdownGraceMs: number
  /** `postgres://…`, with a password in it; empty: files on the volume. */
  readonly store: string
}
