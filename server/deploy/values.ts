import { VERSION } from './version.ts'

/** What users may choose of an installation: the flags of `install`, `--set`, and the chart's values.yaml, by the same keys. */
export interface DeployValues {
  readonly namespace: string
  /** Rooms, without `api`, which is always there: `image-graph`, `audit-log`. */
  readonly components: readonly string[]
  readonly image: string
  readonly imagePullPolicy: 'IfNotPresent' | 'Always' | 'Never'
  readonly imagePullSecrets: readonly string[]
  /** Pods with the rooms; more than one needs a store that they share. */
  readonly replicas: number
  /** 0: the api runs in the rooms' pod; otherwise so many pods of its own. */
  readonly apiReplicas: number
  readonly storage: {
    readonly type: 'pvc' | 'hostPath' | 'emptyDir'
    readonly size: string
    /** Empty: the cluster's default. */
    readonly storageClass: string
    /** The folder on the node, for `hostPath`. */
    readonly path: string
    /** The node that keeps the folder, for `hostPath`. */
    readonly node: string
  }
  readonly resources: {
    readonly requests: { readonly cpu: string; readonly memory: string }
    readonly limits: { readonly memory: string }
  }
  readonly priorityClassName: string
  readonly hostNetwork: boolean
  readonly ports: { readonly api: number; readonly peer: number; readonly metrics: number }
  readonly networkPolicy: boolean
  readonly metrics: {
    /** TLS, and only for bearers of a token that may get /metrics. */
    readonly auth: boolean
    /** Names of the namespaces that may reach the port; empty: all. */
    readonly from: readonly string[]
  }
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly tolerations: readonly Readonly<Record<string, unknown>>[]
  readonly imageGraph: {
    readonly historyDays: number
    readonly historyEvents: number
    /** Of the image graph's own store: `256Mi`. */
    readonly historySize: string
  }
  readonly auditLog: AuditLogValues
  /** The database that the audit log is kept in; no Secret: SQLite on the volume. */
  readonly store: {
    /** Name of a Secret in the namespace, made by who installs. */
    readonly secret: string
    /** Its key with `postgres://…`. */
    readonly key: string
  }
}

/** What is recorded of changes, and how long it is kept. */
export interface AuditLogValues {
  /** Beside the built-in ones: `certificates.v1.cert-manager.io`, RESOURCE.VERSION.GROUP. */
  readonly resources: readonly string[]
  /** Whose changes are left out. */
  readonly exclude: Writers
  /** Where any is said, only changes are recorded that match one of each. */
  readonly include: Writers
  /** CEL expressions that must all be true. */
  readonly conditions: readonly { readonly name: string; readonly expression: string }[]
  /** exec, attach and port-forward too. */
  readonly access: boolean
  /** Needs the right to list and watch Secrets. */
  readonly watchSecrets: boolean
  /** Further fields whose values are not kept: RESOURCE.GROUP:PATH. */
  readonly redact: readonly string[]
  readonly historyDays: number
  readonly secretsDays: number
  readonly perObject: number
  /** Of each object, however old. */
  readonly keepLast: number
  /** Empty: what remains of 80 % of the volume. */
  readonly historySize: string
  readonly journalSize: string
  /** A collector that is told of every change that landed; no url: none. */
  readonly export: {
    readonly url: string
    readonly format: 'otlp' | 'jsonl'
    /** A Secret in the namespace, made by who installs, and its key with `NAME=VALUE` of headers; no name: none. */
    readonly secret: { readonly name: string; readonly key: string }
  }
}

/** Writers and where they write; `*` stands for any text. */
export interface Writers {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly namespaces: readonly string[]
  /** `key=value` of what the authenticator says of a user. */
  readonly extra: readonly string[]
}

const nobody = (): Writers => ({ users: [], groups: [], namespaces: [], extra: [] })

/** What an installation is without any choice (docs: the chart's values.yaml says the same). */
export const DEFAULT_VALUES: DeployValues = {
  namespace: 'deckwatch',
  components: ['image-graph'],
  image: `ghcr.io/deckwatch/deckwatch:${VERSION}`,
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  replicas: 1,
  apiReplicas: 0,
  storage: { type: 'pvc', size: '5Gi', storageClass: '', path: '/var/lib/deckwatch', node: '' },
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '384Mi' } },
  priorityClassName: '',
  hostNetwork: false,
  ports: { api: 10250, peer: 10251, metrics: 8080 },
  networkPolicy: true,
  metrics: { auth: false, from: [] },
  logLevel: 'info',
  nodeSelector: {},
  tolerations: [],
  imageGraph: { historyDays: 7, historyEvents: 200_000, historySize: '256Mi' },
  auditLog: {
    resources: [],
    exclude: nobody(),
    include: nobody(),
    conditions: [],
    access: false,
    watchSecrets: false,
    redact: [],
    historyDays: 30,
    secretsDays: 7,
    perObject: 100,
    keepLast: 10,
    historySize: '',
    journalSize: '256Mi',
    export: { url: '', format: 'otlp', secret: { name: '', key: 'headers' } },
  },
  store: { secret: '', key: 'url' },
}
