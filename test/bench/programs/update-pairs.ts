import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'

/** An update as a review holds it: the object before and after, with managedFields and status. */
export interface UpdatePair {
  readonly what: string
  readonly before: KubernetesObject
  readonly after: KubernetesObject
}

type Json = Record<string, unknown>

/**
 * Updates of a Deployment and a ConfigMap of the sizes that clusters have (16 to 18 KB raw, of which the smaller half is
 * managedFields and status): what people do, and what a controller writes meanwhile. Objects are parsed JSON, so that
 * no two versions share a part.
 */
export function updatePairs(): UpdatePair[] {
  const pair = (what: string, base: Json, edit: (after: Json) => void): UpdatePair => {
    const before = JSON.parse(JSON.stringify(base)) as Json
    const after = JSON.parse(JSON.stringify(base)) as Json
    edit(after)
    touch(after)
    const parsed = (value: Json): KubernetesObject => JSON.parse(JSON.stringify(value)) as KubernetesObject
    return { what, before: parsed(before), after: parsed(after) }
  }
  const web = deployment('web')
  const settings = configMap('settings')
  return [
    pair('an image', web, (after) => {
      container(after, 1)['image'] = 'registry.example.com/shop/web:2.4.2'
    }),
    pair('replicas', web, (after) => {
      ;(after['spec'] as Json)['replicas'] = 6
    }),
    pair('a sidecar put first, an env, an image', web, (after) => {
      container(after, 1)['image'] = 'registry.example.com/shop/web:2.4.2'
      ;(container(after, 1)['env'] as Json[]).splice(4, 0, { name: 'TRACE', value: 'on' })
      containers(after).unshift({ name: 'log-shipper', image: 'registry.example.com/log-shipper:1.0' })
    }),
    pair('an env less', web, (after) => {
      ;(container(after, 1)['env'] as Json[]).splice(7, 1)
    }),
    pair('a restart', web, (after) => {
      const template = (after['spec'] as Json)['template'] as Json
      const { annotations } = template['metadata'] as { annotations: Json }
      annotations['kubectl.kubernetes.io/restartedAt'] = '2026-11-21T11:04:05Z'
    }),
    pair('a label', web, (after) => {
      ;((after['metadata'] as Json)['labels'] as Json)['tier'] = 'front'
    }),
    pair('a line of a ConfigMap', settings, (after) => {
      const data = after['data'] as Record<string, string>
      data['nginx.conf'] = (data['nginx.conf'] ?? '').replace(
        'keepalive_timeout 41;',
        'keepalive_timeout 75;',
      )
    }),
    pair('three lines of a ConfigMap', settings, (after) => {
      const data = after['data'] as Record<string, string>
      const lines = (data['nginx.conf'] ?? '').split('\n')
      lines.splice(200, 1, '  gzip on;', '  gzip_types text/css;')
      lines.splice(20, 2)
      data['nginx.conf'] = lines.join('\n')
    }),
    pair('a controller writes status', web, (after) => {
      const status = after['status'] as Json
      Object.assign(status, { readyReplicas: 2, availableReplicas: 2, unavailableReplicas: 1 })
    }),
  ]
}

function containers(object: Json): Json[] {
  return (((object['spec'] as Json)['template'] as Json)['spec'] as Json)['containers'] as Json[]
}

function container(object: Json, index: number): Json {
  return containers(object)[index] as Json
}

/** What the API server does at each write. */
function touch(object: Json): void {
  const metadata = object['metadata'] as Json
  metadata['generation'] = 8
  const [first] = metadata['managedFields'] as Json[]
  if (first) first['time'] = '2026-11-21T11:04:05Z'
}

function deployment(name: string): Json {
  const labels = {
    app: name,
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/part-of': 'shop',
    team: 'shop-dev',
  }
  const spec = {
    progressDeadlineSeconds: 600,
    replicas: 3,
    revisionHistoryLimit: 10,
    selector: { matchLabels: { app: name } },
    strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' }, type: 'RollingUpdate' },
    template: {
      metadata: { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' }, labels },
      spec: {
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                podAffinityTerm: {
                  labelSelector: { matchLabels: labels },
                  topologyKey: 'kubernetes.io/hostname',
                },
                weight: 100,
              },
            ],
          },
        },
        containers: [containerOf('proxy', 12), containerOf('web', 24), containerOf('exporter', 6)],
        dnsPolicy: 'ClusterFirst',
        restartPolicy: 'Always',
        schedulerName: 'default-scheduler',
        securityContext: { fsGroup: 2000, runAsNonRoot: true },
        serviceAccountName: name,
        terminationGracePeriodSeconds: 30,
        tolerations: [{ effect: 'NoSchedule', key: 'dedicated', operator: 'Equal', value: 'shop' }],
        topologySpreadConstraints: [
          {
            labelSelector: { matchLabels: { app: name } },
            maxSkew: 1,
            topologyKey: 'topology.kubernetes.io/zone',
            whenUnsatisfiable: 'ScheduleAnyway',
          },
        ],
        volumes: [
          { configMap: { defaultMode: 420, name: 'settings' }, name: 'settings' },
          { emptyDir: {}, name: 'cache' },
          { name: 'tls', secret: { defaultMode: 420, secretName: 'web-tls' } },
        ],
      },
    },
  }
  const condition = (type: string) => ({
    lastTransitionTime: '2026-11-01T09:00:00Z',
    lastUpdateTime: '2026-11-01T09:00:00Z',
    message: `ReplicaSet "${name}-7d9c5b6f4d" has successfully progressed.`,
    reason: 'NewReplicaSetAvailable',
    status: 'True',
    type,
  })
  const status = {
    availableReplicas: 3,
    conditions: [condition('Available'), condition('Progressing')],
    observedGeneration: 7,
    readyReplicas: 3,
    replicas: 3,
    updatedReplicas: 3,
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      annotations: {
        'deployment.kubernetes.io/revision': '7',
        'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { labels, name, namespace: 'shop' }, spec }).slice(0, 1200)}\n`,
      },
      creationTimestamp: '2026-03-01T09:00:00Z',
      generation: 7,
      labels,
      managedFields: [
        owner('kubectl-client-side-apply', '', { metadata: { annotations: {}, labels }, spec }),
        owner('kubectl-edit', '', { spec: { replicas: 3 } }),
        owner('kube-controller-manager', 'status', { status }),
      ],
      name,
      namespace: 'shop',
      resourceVersion: '81230017',
      uid: '4a4c3f62-8c0b-4f35-9a53-1f2b6cbe0a11',
    },
    spec,
    status,
  }
}

function containerOf(name: string, variables: number): Json {
  return {
    env: Array.from({ length: variables }, (_, i) => ({
      name: `${name.toUpperCase()}_SETTING_${i}`,
      value: `https://${name}-${i}.shop.svc.cluster.local:8443/v1/${(i * 7919).toString(36)}?timeout=30s`,
    })),
    image: `registry.example.com/shop/${name}:2.4.1`,
    imagePullPolicy: 'IfNotPresent',
    livenessProbe: {
      failureThreshold: 3,
      httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
      periodSeconds: 10,
      timeoutSeconds: 1,
    },
    name,
    ports: [
      { containerPort: 8080, name: 'http', protocol: 'TCP' },
      { containerPort: 9090, name: 'metrics', protocol: 'TCP' },
    ],
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    volumeMounts: [
      { mountPath: '/etc/settings', name: 'settings', readOnly: true },
      { mountPath: '/var/cache', name: 'cache' },
    ],
  }
}

function configMap(name: string): Json {
  const file = (lines: number, line: (i: number) => string): string =>
    `${Array.from({ length: lines }, (_, i) => line(i)).join('\n')}\n`
  const data = {
    LOG_LEVEL: 'info',
    'nginx.conf': file(280, (i) => `  server { listen ${8000 + i}; keepalive_timeout ${i}; }`),
    'settings.yaml': file(90, (i) => `  feature-${i}: ${i % 3 === 0}`),
  }
  return {
    apiVersion: 'v1',
    data,
    kind: 'ConfigMap',
    metadata: {
      creationTimestamp: '2026-03-01T09:00:00Z',
      labels: { app: 'web' },
      managedFields: [owner('kubectl-edit', '', { data, metadata: { labels: { app: 'web' } } })],
      name,
      namespace: 'shop',
      resourceVersion: '81230001',
      uid: '0d3d3a0a-53f1-4e64-9d0a-9a3dbd6c1b77',
    },
  }
}

/** A manager that owns all fields of a part of an object, as the API server writes it down. */
function owner(manager: string, subresource: string, owned: Json): Json {
  return {
    apiVersion: 'apps/v1',
    fieldsType: 'FieldsV1',
    fieldsV1: fieldsOf(owned),
    manager,
    operation: 'Update',
    ...(subresource === '' ? {} : { subresource }),
    time: '2026-11-01T09:00:00Z',
  }
}

const LIST_KEYS = [
  ['containerPort', 'protocol'],
  ['mountPath'],
  ['topologyKey', 'whenUnsatisfiable'],
  ['name'],
  ['type'],
]

function fieldsOf(value: unknown): Json {
  if (typeof value !== 'object' || value === null) return {}
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [`f:${key}`, fieldsOf(entry)]))
  }
  const keys = LIST_KEYS.find((names) =>
    value.every(
      (entry: unknown) => typeof entry === 'object' && entry !== null && names.every((name) => name in entry),
    ),
  )
  if (!keys) return {}
  return Object.fromEntries(
    value.map((entry: Json) => [
      `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, entry[key]])))}`,
      { '.': {}, ...fieldsOf(entry) },
    ]),
  )
}
