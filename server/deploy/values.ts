import { VERSION } from './version.ts'

/** What users may choose of an installation: the flags of `install`, `--set`, and the chart's values.yaml, by the same keys. */
export interface DeployValues {
  readonly namespace: string
  /** Rooms, without `api`, which is always there: `image-graph`. */
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
}

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
}
