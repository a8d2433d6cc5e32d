/** Names of what an installation consists of; those in a namespace and the cluster's alike begin with `deckwatch`. */
export const NAMES = {
  /** The Deployment, ServiceAccount, roles and Service of the companion. */
  companion: 'deckwatch',
  /** The same of the api where it has pods of its own. */
  api: 'deckwatch-api',
  /** The Service of the rooms' pods for the api's pods, and the volume. */
  data: 'deckwatch-data',
  /** The Service by which the API server sends reviews to the rooms' pods, where the api has pods of its own. */
  audit: 'deckwatch-audit',
  /** The ValidatingWebhookConfiguration, the Lease and the Secret of the audit log. */
  auditLog: 'deckwatch-audit-log',
  /** The ConfigMap by which `kubectl deckwatch purge` asks: who may patch it may purge. */
  purge: 'deckwatch-purge',
  config: 'deckwatch-config',
  view: 'deckwatch-view',
  apiService: 'v1alpha1.deckwatch.dev',
  /** The namespace that the agents will have, from which they reach the peer port. */
  agentsNamespace: 'deckwatch-agents',
} as const

/** Where the API server publishes its front proxy's authority, and the Role that reads it. */
export const KUBE_SYSTEM = 'kube-system'
