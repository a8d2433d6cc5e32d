import type {
  KubernetesObject,
  V1Container,
  V1CronJob,
  V1DaemonSet,
  V1Deployment,
  V1Pod,
  V1PodSpec,
  V1PodTemplateSpec,
  V1StatefulSet,
} from '@kubernetes/client-node'
import { SHOP_IMAGES } from './shop-images.ts'

/** The names of the shop's two namespaces. */
export interface ShopNamespaces {
  readonly shop: string
  readonly pay: string
}

/**
 * The first namespace: Deployments that write one image in two ways, with an init container and a native sidecar, a
 * StatefulSet, a DaemonSet, a CronJob that never fires by itself and a bare pod.
 */
export function shopManifests({ shop }: ShopNamespaces): readonly KubernetesObject[] {
  return [
    deployment(shop, 'web', 3, {
      initContainers: [
        { ...container('migrate', SHOP_IMAGES.alpine), command: ['true'] },
        { ...container('proxy', SHOP_IMAGES.busybox), restartPolicy: 'Always' },
      ],
      containers: [{ ...container('app', SHOP_IMAGES.nginx), env: [{ name: 'LOG_LEVEL', value: 'info' }] }],
    }),
    deployment(shop, 'cart', 2, { containers: [container('app', SHOP_IMAGES.nginxInFull)] }),
    statefulSet(shop, 'sessions', 2, { containers: [container('redis', SHOP_IMAGES.redis)] }),
    daemonSet(shop, 'node-exporter', { containers: [container('exporter', SHOP_IMAGES.nodeExporter)] }),
    cronJob(shop, 'report', {
      restartPolicy: 'Never',
      containers: [{ ...container('report', SHOP_IMAGES.batchBusybox), command: ['true'] }],
    }),
    barePod(shop, 'toolbox', { containers: [container('sh', SHOP_IMAGES.busybox)] }),
  ]
}

/** The second namespace: it shares images with the first, and has a pod of the same name. */
export function payManifests({ pay }: ShopNamespaces): readonly KubernetesObject[] {
  return [
    deployment(pay, 'ledger', 2, {
      containers: [container('app', SHOP_IMAGES.alpine), container('cache', SHOP_IMAGES.redis)],
    }),
    barePod(pay, 'toolbox', { containers: [container('sh', SHOP_IMAGES.alpine)] }),
  ]
}

const BRIEF: Partial<V1PodSpec> = { terminationGracePeriodSeconds: 2, enableServiceLinks: false }

// A shell ignores SIGTERM as process 1 unless told otherwise.
const WAIT = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait; done']

function container(name: string, image: string): V1Container {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: WAIT,
    resources: { requests: { cpu: '1m', memory: '4Mi' } },
  }
}

function barePod(where: string, name: string, spec: V1PodSpec): V1Pod {
  const metadata = { name, namespace: where, labels: { app: name } }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...BRIEF, ...spec } }
}

function deployment(where: string, name: string, replicas: number, spec: V1PodSpec): V1Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: where },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name, spec) },
  }
}

function statefulSet(where: string, name: string, replicas: number, spec: V1PodSpec): V1StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: where },
    spec: {
      replicas,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: { app: name } },
      template: template(name, spec),
    },
  }
}

function daemonSet(where: string, name: string, spec: V1PodSpec): V1DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: where },
    spec: { selector: { matchLabels: { app: name } }, template: template(name, spec) },
  }
}

function cronJob(where: string, name: string, spec: V1PodSpec): V1CronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace: where },
    spec: {
      schedule: '0 3 * * *',
      suspend: true,
      jobTemplate: { spec: { backoffLimit: 0, template: template(name, spec) } },
    },
  }
}

function template(app: string, spec: V1PodSpec): V1PodTemplateSpec {
  return { metadata: { labels: { app } }, spec: { ...BRIEF, ...spec } }
}
