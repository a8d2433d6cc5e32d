import { createHash } from 'node:crypto'
import type { V1Container, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import type { ControlPlane } from './control-plane.ts'
import { createNodes, createPods, type NodeSeed } from './seed.ts'

const REPLICAS = 10
/** As a kubelet's default `nodeStatusMaxImages`. */
const NODE_IMAGES = 50
const STARTED = new Date('2026-11-20T08:00:00Z')
const SIDECAR = 'registry.example.com/mesh/proxy:v1.31.2'

/** How big the cluster is; the same numbers always give the same cluster. */
export interface BulkOptions {
  readonly pods: number
  /** Different images over all pods. */
  readonly images: number
  readonly namespaces: number
  readonly nodes: number
}

/** Running pods of Deployments with ten replicas each, about 8 kB of JSON a pod once the API server has them. */
export function* bulkPods(options: BulkOptions): Generator<V1Pod> {
  for (let index = 0; index < options.pods; index++) yield bulkPod(index, options)
}

/** The nodes that those pods name, each with at most fifty images. */
export function* bulkNodes(options: BulkOptions): Generator<NodeSeed> {
  for (let node = 0; node < options.nodes; node++) {
    const images = Array.from({ length: Math.min(NODE_IMAGES, options.images) }, (_, index) => {
      const image = imageName((node * 7 + index) % options.images)
      return {
        names: [imageID(image), image],
        sizeBytes: 10_000_000 + ((node * 7 + index) % options.images) * 1_000_003,
      }
    })
    yield { name: nodeName(node), images }
  }
}

/** Fills a control plane with those nodes and pods. */
export async function seedBulk(cluster: Pick<ControlPlane, 'admin'>, options: BulkOptions): Promise<void> {
  await createNodes(cluster, bulkNodes(options))
  await createPods(cluster, bulkPods(options))
}

function bulkPod(index: number, { images, namespaces, nodes }: BulkOptions): V1Pod {
  const workload = Math.floor(index / REPLICAS)
  const app = `service-${String(workload).padStart(4, '0')}`
  const templateHash = hex(app).slice(0, 10)
  const node = nodeName(index % nodes)
  const image = imageName(images > 1 ? 1 + (workload % (images - 1)) : 0)
  const name = `${app}-${templateHash}-${hex(String(index)).slice(0, 5)}`
  const containers = [
    mainContainer(app, image),
    ...(workload % 4 === 0 && images > 1 ? [proxyContainer()] : []),
  ]
  return {
    metadata: {
      name,
      namespace: `bulk-${String(workload % namespaces).padStart(2, '0')}`,
      labels: {
        app,
        'app.kubernetes.io/name': app,
        'app.kubernetes.io/part-of': 'bulk',
        'app.kubernetes.io/version': image.slice(image.lastIndexOf(':') + 1),
        'pod-template-hash': templateHash,
      },
      annotations: {
        'checksum/config': hex(`${app}-config`),
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': '9090',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${app}-${templateHash}`,
          uid: uuid(app),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      nodeName: node,
      containers,
      volumes: [
        { name: 'config', configMap: { name: `${app}-config` } },
        { name: 'tls', secret: { secretName: `${app}-tls` } },
        { name: 'cache', emptyDir: {} },
      ],
    },
    status: {
      phase: 'Running',
      startTime: STARTED,
      hostIP: '127.0.0.1',
      podIP: `10.${100 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
      conditions: [
        'PodReadyToStartContainers',
        'Initialized',
        'Ready',
        'ContainersReady',
        'PodScheduled',
      ].map((type) => ({ type, status: 'True', lastTransitionTime: STARTED })),
      containerStatuses: containers.map((container) => runningStatus(container, name)),
    },
  }
}

function mainContainer(app: string, image: string): V1Container {
  const probe = (path: string) => ({ httpGet: { path, port: 'http' }, periodSeconds: 10, timeoutSeconds: 2 })
  return {
    name: 'app',
    image,
    args: ['serve', '--listen=:8080', `--config=/etc/${app}/config.yaml`],
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'metrics', containerPort: 9090 },
    ],
    env: [
      ...['LOG_LEVEL', 'REGION', 'DATABASE_HOST', 'CACHE_HOST', 'QUEUE_URL'].map((key) => ({
        name: key,
        value: `${key.toLowerCase().replace('_', '-')}.${app}.svc.cluster.local`,
      })),
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'PASSWORD_FILE', value: `/etc/${app}/tls/password` },
    ],
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    livenessProbe: probe('/livez'),
    readinessProbe: probe('/readyz'),
    volumeMounts: [
      { name: 'config', mountPath: `/etc/${app}` },
      { name: 'tls', mountPath: `/etc/${app}/tls`, readOnly: true },
      { name: 'cache', mountPath: '/var/cache' },
    ],
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true },
  }
}

function proxyContainer(): V1Container {
  return { name: 'proxy', image: SIDECAR, resources: { requests: { cpu: '10m', memory: '32Mi' } } }
}

function runningStatus({ name, image = '' }: V1Container, pod: string): V1ContainerStatus {
  return {
    name,
    image,
    imageID: imageID(image),
    containerID: `containerd://${hex(`${pod}/${name}`)}`,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: STARTED } },
  }
}

/** Image 0 is the sidecar's, so that it counts among the given number. */
function imageName(index: number): string {
  const number = String(index).padStart(3, '0')
  return index === 0
    ? SIDECAR
    : `registry.example.com/team-${index % 12}/service-${number}:1.${index % 30}.${index % 7}`
}

function imageID(image: string): string {
  return `${image.slice(0, image.lastIndexOf(':'))}@sha256:${hex(image)}`
}

function nodeName(index: number): string {
  return `bulk-node-${String(index).padStart(3, '0')}`
}

function uuid(text: string): string {
  return hex(text).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}

function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
