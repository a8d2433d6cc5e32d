import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'
import type { V1Pod } from '@kubernetes/client-node'
import { companionImage } from '../kit/companion-image.ts'
import { ApiStatusError } from '../kit/kubernetes/api-client.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { createPods } from '../kit/kubernetes/seed.ts'
import { requireNode } from '../kit/kubernetes/shared.ts'

const NAMESPACE = 'image-test'
const BINDING = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
const API_PORT = 10250

describe('the companion’s image on a real node', function () {
  // The first image on a machine takes half a minute.
  this.timeout(360_000)
  let cluster: ControlPlane
  let reference: string
  let digest: string

  before(async function () {
    const shared = await requireNode(this)
    cluster = shared.cluster
    const image = await companionImage()
    reference = image.reference
    digest = await shared.node.importArchive(image.archive)
    await ensureNamespace(cluster.admin, NAMESPACE)
    await cluster.admin.send('PATCH', `/api/v1/namespaces/${NAMESPACE}`, {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    })
    // What rights it needs, the tests of its installation tell; here it is about what it runs on.
    await cluster.admin.send('POST', BINDING, {
      metadata: { name: NAMESPACE },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: NAMESPACE }],
    })
  })

  after(async () => {
    if (cluster === undefined) return
    await deleteNamespace(cluster.admin, NAMESPACE)
    await cluster.admin.text('DELETE', `${BINDING}/${NAMESPACE}`).catch((error: unknown) => {
      if (!(error instanceof ApiStatusError && error.status === 404)) throw error
    })
  })

  it('becomes a ready pod under Pod Security "restricted", and says that it lives', async () => {
    await createPods(cluster, [companionPod(reference)])
    const kubectl = async (...args: readonly string[]): Promise<string> => {
      const { stdout, stderr, exitCode } = await cluster.kubectl([...args, '--namespace', NAMESPACE])
      assert.equal(
        exitCode,
        0,
        `${stderr}${(await cluster.kubectl(['logs', 'companion', '-n', NAMESPACE])).stdout}`,
      )
      return stdout
    }
    await kubectl('wait', 'pod/companion', '--for=condition=Ready', '--timeout=180s')
    const { status } = JSON.parse(await kubectl('get', 'pod', 'companion', '--output=json')) as V1Pod
    const [container] = status?.containerStatuses ?? []
    assert.ok(container?.imageID.endsWith(`@${digest}`), container?.imageID)
    assert.equal(container?.restartCount, 0)
    assert.deepEqual(await get(`https://${status?.podIP}:${API_PORT}/livez`), { status: 200, body: 'ok' })
  })
})

/** Asks as the kubelet does: without a certificate, and without looking at the server's. */
async function get(url: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const sent = request(url, { rejectUnauthorized: false, agent: false }).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: answer.statusCode, body: (await text(answer)).trim() }
}

function companionPod(image: string): V1Pod {
  return {
    metadata: { name: 'companion', namespace: NAMESPACE },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'deckwatch',
          image,
          imagePullPolicy: 'Never',
          // An empty one: no APIService is told of it.
          args: ['--components=api,image-graph', '--api-service='],
          env: [
            { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
          ],
          readinessProbe: {
            httpGet: { path: '/livez', port: API_PORT, scheme: 'HTTPS' },
            periodSeconds: 1,
            failureThreshold: 30,
          },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'tmp', mountPath: '/tmp' },
            { name: 'data', mountPath: '/data' },
          ],
        },
      ],
      volumes: [
        { name: 'tmp', emptyDir: {} },
        { name: 'data', emptyDir: {} },
      ],
    },
  }
}
