import type { V1ContainerStatus, V1NodeList, V1ObjectMeta, V1Pod, V1PodList } from '@kubernetes/client-node'
import assert from 'node:assert/strict'
import { connect } from '../../../src/core/kube/connect.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { listNodes } from '../../../src/core/kube/node-list.ts'
import { listPods } from '../../../src/core/kube/pod-list.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { ContainerType, PodImage, PodSlice } from '../../../src/core/wire/pod.ts'
import { bulkNodes, bulkPods } from '../../kit/kubernetes/bulk.ts'
import type { ControlPlane } from '../../kit/kubernetes/control-plane.ts'
import { createNodes, createPods } from '../../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../../kit/kubernetes/shared.ts'
import { startControlPlane } from '../../kit/kubernetes/start-control-plane.ts'

const BULK = { pods: 120, images: 20, namespaces: 3, nodes: 4 }

describe('pods and nodes, beside what kubectl says', () => {
  let cluster: ControlPlane | undefined
  let transport: KubeTransport

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane({ controllers: 'none' })
    transport = connect(await loadConnection({ kubeconfig: cluster.adminKubeconfig }))
    await createNodes(cluster, bulkNodes(BULK))
    await createPods(cluster, [...bulkPods(BULK), ...oddPods()])
    await cluster.admin.send('PATCH', '/api/v1/namespaces/odd/pods/every-type/ephemeralcontainers', {
      spec: { ephemeralContainers: [{ name: 'debugger', image: 'busybox', targetContainerName: 'app' }] },
    })
  })
  after(async () => {
    transport?.close()
    await cluster?.stop()
  })

  async function kubectl<Answer>(...args: string[]): Promise<Answer> {
    assert.ok(cluster)
    const { stdout, stderr, exitCode } = await cluster.kubectl([...args, '-o', 'json'])
    assert.equal(exitCode, 0, stderr)
    return JSON.parse(stdout) as Answer
  }

  for (const protobuf of [true, false]) {
    it(`gives the same pods, in pages of any size (${protobuf ? 'protobuf' : 'JSON'})`, async () => {
      const { items } = await kubectl<V1PodList>('get', 'pods', '-A')
      const expected = items.map(sliceOf)
      const types = new Set(expected.flatMap((pod) => pod.images.map((image) => image.type)))
      assert.deepEqual([...types].toSorted(), ['container', 'ephemeral', 'init', 'sidecar', 'volume'])
      assert.ok(expected.length > BULK.pods)
      for (const pageSize of [1, 50, 0]) {
        const pods: PodSlice[] = []
        for await (const batch of listPods(transport, { protobuf, pageSize })) pods.push(...batch)
        assert.deepEqual(pods, expected)
      }
    })

    it(`gives the same nodes (${protobuf ? 'protobuf' : 'JSON'})`, async () => {
      const { items } = await kubectl<V1NodeList>('get', 'nodes')
      assert.deepEqual(
        await listNodes(transport, { protobuf }),
        items.map((node) => ({
          name: node.metadata?.name,
          images: (node.status?.images ?? []).map(({ names, sizeBytes }) => ({ names, sizeBytes })),
        })),
      )
    })
  }

  it('chooses by the same selectors', async () => {
    const selection = {
      labelSelector: 'app in (service-0001, service-0002)',
      fieldSelector: 'status.phase=Running',
    }
    const { labelSelector, fieldSelector } = selection
    const { items } = await kubectl<V1PodList>(
      'get',
      'pods',
      '-A',
      `--selector=${labelSelector}`,
      `--field-selector=${fieldSelector}`,
    )
    const pods: PodSlice[] = []
    for await (const batch of listPods(transport, selection)) pods.push(...batch)
    assert.deepEqual(pods, items.map(sliceOf))
    assert.equal(pods.length, 20)
  })
})

/** Pods of every shape that a slice has a place for. */
function oddPods(): V1Pod[] {
  const metadata = (name: string): V1ObjectMeta => ({ name, namespace: 'odd' })
  const running = (name: string): V1ContainerStatus => ({
    name,
    image: 'as-the-runtime-says',
    imageID: `docker.io/library/${name}@sha256:${'0'.repeat(64)}`,
    ready: true,
    restartCount: 3,
  })
  return [
    {
      metadata: metadata('every-type'),
      spec: {
        nodeName: 'bulk-node-000',
        initContainers: [
          { name: 'proxy', image: 'envoy:1.30', restartPolicy: 'Always' },
          { name: 'migrate', image: 'migrate:7', imagePullPolicy: 'Never' },
        ],
        containers: [{ name: 'app', image: 'registry.example.com/größe@sha256:abc' }],
        volumes: [
          { name: 'models', image: { reference: 'registry.example.com/models:3', pullPolicy: 'Always' } },
          { name: 'scratch', emptyDir: {} },
        ],
      },
      status: {
        phase: 'Running',
        initContainerStatuses: [running('proxy'), running('migrate')],
        containerStatuses: [running('app')],
        ephemeralContainerStatuses: [running('debugger')],
      },
    },
    { metadata: metadata('no-status'), spec: { containers: [{ name: 'app', image: 'web' }] } },
    {
      metadata: {
        ...metadata('owned'),
        labels: { 'pod-template-hash': '' },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'uid-1' },
          { apiVersion: 'example.com/v1', kind: 'Rollout', name: 'web', uid: 'uid-2', controller: true },
        ],
      },
      spec: { containers: [{ name: 'app', image: `web:${'a'.repeat(4000)}` }] },
    },
  ]
}

/** The slice of a pod as client-node types it, written down apart from the decoders. */
function sliceOf({ metadata, spec, status }: V1Pod): PodSlice {
  const imageID = (name: string, statuses: readonly V1ContainerStatus[] = []): string =>
    statuses.find((candidate) => candidate.name === name)?.imageID ?? ''
  const image = (
    type: ContainerType,
    { name, image: reference, imagePullPolicy }: { name: string; image?: string; imagePullPolicy?: string },
    statuses?: readonly V1ContainerStatus[],
  ): PodImage => ({
    type,
    name,
    image: reference ?? '',
    pullPolicy: imagePullPolicy ?? '',
    imageID: imageID(name, statuses),
  })
  const controller = metadata?.ownerReferences?.find((reference) => reference.controller)
  return {
    uid: metadata?.uid ?? '',
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    nodeName: spec?.nodeName ?? '',
    phase: status?.phase ?? '',
    templateHash: metadata?.labels?.['pod-template-hash'] ?? '',
    owner: controller && {
      apiVersion: controller.apiVersion,
      kind: controller.kind,
      name: controller.name,
      uid: controller.uid,
    },
    images: [
      ...(spec?.initContainers ?? []).map((container) =>
        image(
          container.restartPolicy === 'Always' ? 'sidecar' : 'init',
          container,
          status?.initContainerStatuses,
        ),
      ),
      ...(spec?.containers ?? []).map((container) =>
        image('container', container, status?.containerStatuses),
      ),
      ...(spec?.ephemeralContainers ?? []).map((container) =>
        image('ephemeral', container, status?.ephemeralContainerStatuses),
      ),
      ...(spec?.volumes ?? []).flatMap(({ name, image: source }) =>
        source
          ? [
              {
                type: 'volume' as const,
                name,
                image: source.reference ?? '',
                pullPolicy: source.pullPolicy ?? '',
                imageID: '',
              },
            ]
          : [],
      ),
    ],
  }
}
