import { buildNode, buildPod, type PodPlan } from '../kit/fake-api/pod-builder.ts'
import type { FakeObject } from '../kit/fake-api/fake-store.ts'

/** A digest that is easy to tell from others: `sha256:` and the text repeated. */
function digestOf(text: string): string {
  const hex = Buffer.from(text).toString('hex')
  return `sha256:${hex.repeat(64).slice(0, 64)}`
}

const MIB = 2 ** 20
const NGINX = `docker.io/library/nginx@${digestOf('nginx')}`
const REDIS = `docker.io/library/redis@${digestOf('redis, old')}`
const REDIS_NEW = `docker.io/library/redis@${digestOf('new redis')}`
const WEB = `ghcr.io/acme/web@${digestOf('web')}`
const MIGRATE = `ghcr.io/acme/migrate@${digestOf('migrate')}`
const ENVOY = `docker.io/envoyproxy/envoy@${digestOf('envoy')}`
const PAY = `registry.example:5000/pay/pay@${digestOf('pay')}`
const LOGGER = `registry.k8s.io/logger@${digestOf('logger')}`

function webPod(name: string, node: string): FakeObject {
  return buildPod(name, {
    namespace: 'shop',
    uid: `uid-${name}`,
    labels: { app: 'web', 'pod-template-hash': '7d9c5b' },
    owner: { kind: 'ReplicaSet', name: 'web-7d9c5b' },
    node,
    initContainers: [{ name: 'migrate', image: 'ghcr.io/acme/migrate:v2.1.4', imageID: MIGRATE }],
    sidecars: [{ name: 'envoy', image: 'envoyproxy/envoy:v1.31.0', imageID: ENVOY, pullPolicy: 'Always' }],
    containers: [
      { name: 'web', image: 'ghcr.io/acme/web:v2.1.4', imageID: WEB },
      { name: 'cache', image: 'docker.io/nginx:1.25', imageID: NGINX },
    ],
  })
}

function redisPod(namespace: string, name: string, node: string, imageID: string): FakeObject {
  return buildPod(name, {
    namespace,
    uid: `uid-${namespace}-${name}`,
    labels: { app: 'redis' },
    owner: { kind: 'StatefulSet', name: 'redis' },
    node,
    containers: [{ name: 'redis', image: 'redis:7', imageID }],
  })
}

function pod(name: string, plan: PodPlan): FakeObject {
  return buildPod(name, { uid: `uid-${name}`, ...plan })
}

/** The 16 pods and 3 nodes of a small shop with everything in it that makes `kubectl images` hard. */
export function shopCluster(): FakeObject[] {
  return [
    webPod('web-7d9c5b-2kxqp', 'node-1'),
    webPod('web-7d9c5b-x2x4q', 'node-2'),
    redisPod('shop', 'redis-0', 'node-1', REDIS),
    redisPod('shop', 'redis-1', 'node-2', REDIS_NEW),
    // The same name in another namespace.
    redisPod('staging', 'redis-0', 'node-2', REDIS_NEW),
    pod('report-29413380-7fvzl', {
      namespace: 'shop',
      labels: { app: 'report' },
      owner: { kind: 'Job', apiVersion: 'batch/v1', name: 'report-29413380' },
      phase: 'Succeeded',
      containers: [{ name: 'report', image: 'ghcr.io/acme/report:1.4', imageID: '' }],
    }),
    pod('backfill-cw8nd', {
      namespace: 'shop',
      owner: { kind: 'Job', apiVersion: 'batch/v1', name: 'backfill' },
      node: 'node-3',
      containers: [{ name: 'backfill', image: 'ghcr.io/acme/report:1.5' }],
    }),
    pod('debug', {
      namespace: 'shop',
      node: 'node-2',
      containers: [{ name: 'debug', image: 'nginx:1.25', imageID: NGINX }],
      ephemeralContainers: [{ name: 'debugger-8xhtz', image: 'busybox:1.36' }],
    }),
    pod('pay-canary', {
      namespace: 'shop',
      labels: { app: 'pay' },
      owner: { kind: 'Rollout', apiVersion: 'argoproj.io/v1alpha1', name: 'pay' },
      node: 'node-3',
      imageVolumes: [{ name: 'model', reference: `ghcr.io/acme/model@${digestOf('model')}` }],
      containers: [{ name: 'pay', image: 'registry.example:5000/pay/pay:1.9', imageID: PAY }],
    }),
    pod('web-preview', {
      namespace: 'staging',
      node: '',
      phase: 'Pending',
      status: false,
      containers: [{ name: 'web', image: 'ghcr.io/acme/web:v2.2.0' }],
    }),
    pod('typo', {
      namespace: 'staging',
      node: 'node-1',
      phase: 'Pending',
      containers: [{ name: 'app', image: 'Docker.io/Acme/Web:v2' }],
    }),
    ...['node-1', 'node-2', 'node-3'].map((node) =>
      pod(`logger-${node}`, {
        namespace: 'kube-system',
        labels: { app: 'logger' },
        owner: { kind: 'DaemonSet', name: 'logger' },
        node,
        containers: [{ name: 'logger', image: 'registry.k8s.io/logger:v3', imageID: LOGGER }],
      }),
    ),
    pod('front', {
      namespace: 'kube-system',
      node: 'node-1',
      containers: [{ name: 'front', image: 'docker.io/library/nginx:1.25', imageID: NGINX }],
    }),
    // A static pod's mirror.
    pod('kube-scheduler-node-1', {
      namespace: 'kube-system',
      owner: { kind: 'Node', apiVersion: 'v1', name: 'node-1' },
      node: 'node-1',
      containers: [{ name: 'kube-scheduler', image: 'registry.k8s.io/kube-scheduler:v1.35.4' }],
    }),
    buildNode('node-1', [
      image(67, NGINX, 'docker.io/library/nginx:1.25'),
      image(210, WEB, 'ghcr.io/acme/web:v2.1.4'),
      image(48, MIGRATE, 'ghcr.io/acme/migrate:v2.1.4'),
      image(160, ENVOY, 'docker.io/envoyproxy/envoy:v1.31.0'),
      image(44, REDIS, 'docker.io/library/redis:7'),
      image(31, LOGGER, 'registry.k8s.io/logger:v3'),
      image(66, 'registry.k8s.io/kube-scheduler:v1.35.4'),
    ]),
    buildNode('node-2', [
      image(67, NGINX, 'docker.io/library/nginx:1.25'),
      image(210, WEB, 'ghcr.io/acme/web:v2.1.4'),
      image(48, MIGRATE, 'ghcr.io/acme/migrate:v2.1.4'),
      image(160, ENVOY, 'docker.io/envoyproxy/envoy:v1.31.0'),
      image(45, REDIS_NEW, 'docker.io/library/redis:7'),
      image(2, 'docker.io/library/busybox:1.36'),
    ]),
    // A kubelet reports its 50 largest images, so that it says nothing of small ones.
    buildNode('node-3', [
      image(123, PAY, 'registry.example:5000/pay/pay:1.9'),
      ...Array.from({ length: 49 }, (_, index) => image(900 - index, `docker.io/library/large:${index}`)),
    ]),
    ...['shop', 'staging', 'kube-system', 'default'].map((name) => ({
      kind: 'Namespace',
      metadata: { name },
    })),
    {
      kind: 'ReplicaSet',
      metadata: {
        name: 'web-7d9c5b',
        namespace: 'shop',
        uid: 'uid-of-web-7d9c5b',
        ownerReferences: [owner('apps/v1', 'Deployment', 'web')],
      },
    },
    {
      kind: 'Job',
      metadata: {
        name: 'report-29413380',
        namespace: 'shop',
        uid: 'uid-of-report-29413380',
        ownerReferences: [owner('batch/v1', 'CronJob', 'report')],
      },
    },
  ]
}

function image(
  mebibytes: number,
  ...names: readonly string[]
): { names: readonly string[]; sizeBytes: number } {
  return { names, sizeBytes: mebibytes * MIB }
}

function owner(apiVersion: string, kind: string, name: string): object {
  return { apiVersion, kind, name, uid: `uid-of-${kind}-${name}`, controller: true }
}
