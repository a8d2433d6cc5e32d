import assert from 'node:assert/strict'
import { planUndo } from '../../src/cli/features/blame/undo.ts'
import { listKeysOf } from '../../src/core/model/list-keys.ts'
import { applyChanges, diffObjects, revertChanges } from '../../src/core/model/object-diff.ts'
import { withoutNoise } from '../../src/core/model/object-noise.ts'
import type { KubernetesObject } from '../../src/core/wire/admission-review.ts'
import { updatePairs } from '../bench/programs/update-pairs.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'
import { change } from '../unit/blame/changes.ts'

const NAMESPACE = 'object-diff'

describe('what a real API server made of an update', function () {
  this.timeout(300_000)
  let cluster: ControlPlane

  before(async function () {
    cluster = await requireCluster(this)
    await ensureNamespace(cluster.admin, NAMESPACE)
  })
  after(async () => {
    if (cluster) await deleteNamespace(cluster.admin, NAMESPACE)
  })

  const chosen = new Set([
    'a sidecar put first, an env, an image',
    'an env less',
    'three lines of a ConfigMap',
  ])
  for (const [i, { what, ...versions }] of updatePairs().entries()) {
    if (!chosen.has(what)) continue
    it(`is told by names, both ways, and taken back by kubectl: ${what}`, async () => {
      const name = `update-${i}`
      const bare = ({ apiVersion, kind, metadata, spec, data }: KubernetesObject): object => ({
        apiVersion,
        kind,
        metadata: { name, labels: metadata?.labels },
        ...(spec === undefined ? { data } : { spec }),
      })
      const isMap = versions.before.kind === 'ConfigMap'
      const path = `${isMap ? '/api/v1' : '/apis/apps/v1'}/namespaces/${NAMESPACE}/${isMap ? 'configmaps' : 'deployments'}`
      const send = async (method: string, at: string, body?: object): Promise<KubernetesObject> =>
        await cluster.admin.send<KubernetesObject>(method, at, body)
      const before = await send('POST', `${path}?fieldManager=kubectl-create`, bare(versions.before))
      const after = await send('PUT', `${path}/${name}?fieldManager=kubectl-edit`, bare(versions.after))

      const [old, now] = [withoutNoise(before), withoutNoise(after)]
      const changes = diffObjects(old, now, listKeysOf(before, after))
      assert.deepEqual(applyChanges(old, changes), now)
      assert.deepEqual(revertChanges(now, changes), old)
      assert.doesNotMatch(changes.map((field) => field.path).join(), /\[\d/)

      const today = await send('GET', `${path}/${name}`)
      const plan = planUndo(change({ changes, object: { uid: today.metadata?.uid ?? '' } }), today)
      assert.deepEqual(plan.type === 'patch' && plan.conflicts, [])
      const patch = JSON.stringify(plan.type === 'patch' ? plan.patch : [])
      const resource = isMap ? 'configmap' : 'deployment'
      const argv = ['patch', resource, name, '-n', NAMESPACE, '--type=json', '-p', patch, '-o', 'json']
      const patched = await cluster.kubectl(argv)
      assert.equal(patched.exitCode, 0, patched.stderr)
      const { spec, data } = JSON.parse(patched.stdout) as KubernetesObject
      assert.deepEqual([spec, data], [before['spec'], before['data']])

      const again = await cluster.kubectl(argv)
      assert.notEqual(again.exitCode, 0, 'its tests must fail where it was done already')
    })
  }
})
