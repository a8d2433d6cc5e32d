import type { FakeObject } from './fake-store.ts'

/** A container of a test pod; `imageID` is what its status reports. */
export interface ContainerPlan {
  readonly name?: string
  readonly image: string
  readonly imageID?: string
  readonly pullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
}

/** What a test pod shall be; all else is as a real pod has it. */
export interface PodPlan {
  readonly namespace?: string
  readonly uid?: string
  /** Images of ordinary containers, or the containers themselves; one of `nginx:1.25` where left out. */
  readonly containers?: readonly (string | ContainerPlan)[]
  readonly initContainers?: readonly (string | ContainerPlan)[]
  /** Init containers that are restarted always (KEP-753). */
  readonly sidecars?: readonly (string | ContainerPlan)[]
  readonly ephemeralContainers?: readonly (string | ContainerPlan)[]
  /** Image volumes (KEP-4639). */
  readonly imageVolumes?: readonly {
    readonly name: string
    readonly reference: string
    readonly pullPolicy?: string
  }[]
  readonly labels?: Readonly<Record<string, string>>
  readonly owner?: {
    readonly kind: string
    readonly name: string
    readonly apiVersion?: string
    readonly uid?: string
  }
  readonly node?: string
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  /** False leaves the status empty, as before the kubelet has seen the pod. */
  readonly status?: boolean
}

const CREATED = '2026-11-21T02:00:00Z'

/** A pod as the API server gives it, with the managed fields that are most of its size. */
export function buildPod(name: string, plan: PodPlan = {}): FakeObject {
  const sidecars = named(plan.sidecars, 'sidecar').map((container) => ({
    ...container,
    restartPolicy: 'Always',
  }))
  const init = [...named(plan.initContainers, 'init'), ...sidecars]
  const containers = named(plan.containers ?? ['nginx:1.25'], 'app')
  const ephemeral = named(plan.ephemeralContainers, 'debugger')
  const labels = plan.labels ?? { app: name }
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace: plan.namespace ?? 'default',
      ...(plan.uid ? { uid: plan.uid } : {}),
      creationTimestamp: CREATED,
      labels,
      annotations: { 'example.com/note': 'an annotation that no slice has a place for' },
      ...(plan.owner ? { ownerReferences: [ownerReference(plan.owner)] } : {}),
      managedFields: [managedFields(Object.keys(labels))],
    },
    spec: {
      volumes: [
        { name: 'scratch', emptyDir: {} },
        ...(plan.imageVolumes ?? []).map(({ name: volume, ...image }) => ({ name: volume, image })),
      ],
      ...(init.length > 0 ? { initContainers: init.map(spec) } : {}),
      containers: containers.map(spec),
      ...(ephemeral.length > 0 ? { ephemeralContainers: ephemeral.map(spec) } : {}),
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      ...(plan.node === '' ? {} : { nodeName: plan.node ?? 'node-1' }),
    },
    status:
      plan.status === false
        ? { phase: 'Pending' }
        : {
            phase: plan.phase ?? 'Running',
            podIP: '10.88.0.7',
            startTime: CREATED,
            containerStatuses: containers.map(status),
            ...(init.length > 0 ? { initContainerStatuses: init.map(status) } : {}),
            ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral.map(status) } : {}),
          },
  }
}

/** A node that reports the given images. */
export function buildNode(
  name: string,
  images: readonly { readonly names: readonly string[]; readonly sizeBytes: number }[] = [],
): FakeObject {
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { name, creationTimestamp: CREATED, labels: { 'kubernetes.io/hostname': name } },
    spec: { podCIDR: '10.88.0.0/24' },
    status: { phase: 'Running', images },
  }
}

type Named = ContainerPlan & { readonly name: string; readonly restartPolicy?: string }

function named(plans: readonly (string | ContainerPlan)[] | undefined, stem: string): Named[] {
  return (plans ?? []).map((plan, index) => {
    const name = index === 0 ? stem : `${stem}-${index + 1}`
    return typeof plan === 'string' ? { name, image: plan } : { ...plan, name: plan.name ?? name }
  })
}

function spec(container: Named): object {
  return {
    name: container.name,
    image: container.image,
    env: [{ name: 'MODE', value: 'production' }],
    imagePullPolicy: container.pullPolicy ?? 'IfNotPresent',
    ...(container.restartPolicy ? { restartPolicy: container.restartPolicy } : {}),
  }
}

function status(container: Named): object {
  return {
    name: container.name,
    state: { running: { startedAt: CREATED } },
    ready: true,
    restartCount: 0,
    image: container.image,
    imageID: container.imageID ?? '',
    containerID: `containerd://${'0'.repeat(64)}`,
    started: true,
  }
}

function ownerReference(owner: NonNullable<PodPlan['owner']>): object {
  return {
    apiVersion: owner.apiVersion ?? 'apps/v1',
    kind: owner.kind,
    name: owner.name,
    uid: owner.uid ?? `uid-of-${owner.name}`,
    controller: true,
    blockOwnerDeletion: true,
  }
}

function managedFields(labels: readonly string[]): object {
  return {
    manager: 'kube-controller-manager',
    operation: 'Update',
    apiVersion: 'v1',
    time: CREATED,
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:metadata': { 'f:labels': Object.fromEntries(labels.map((label) => [`f:${label}`, {}])) },
      'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
    },
  }
}
