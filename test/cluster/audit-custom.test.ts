import assert from 'node:assert/strict'
import { DEFAULT_VALUES } from '../../server/deploy/index.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'

const VERSIONS = ['v1alpha1', 'v1beta1', 'v1']
const GROUPS = ['one.example.org', 'two.example.org']

describe('changes of custom resources, on a real API server', function () {
  this.timeout(300_000)
  let world: AuditWorld

  before(async function () {
    await requireKubernetes(this)
    const resources = GROUPS.map((group) => `widgets.v1.${group}`)
    world = await AuditWorld.start({
      prepare: define,
      companion: {
        values: { auditLog: { ...DEFAULT_VALUES.auditLog, resources } },
        flags: [`--audit-resources=${resources.join(',')}`],
      },
    })
    await world.ensureNamespace('shop')
  })

  after(() => world?.stop())

  /** A kind of the same name in each group, served in three versions. */
  async function define(cluster: ControlPlane): Promise<void> {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    for (const group of GROUPS) {
      const { exitCode, stderr } = await cluster.kubectl(['apply', '-f', '-'], {
        input: JSON.stringify({
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: `widgets.${group}` },
          spec: {
            group,
            scope: 'Namespaced',
            names: { kind: 'Widget', plural: 'widgets' },
            versions: VERSIONS.map((name) => ({
              name,
              served: true,
              storage: name === 'v1',
              schema,
              subresources: {
                scale: { specReplicasPath: '.spec.instances', statusReplicasPath: '.status.instances' },
              },
            })),
          },
        }),
      })
      assert.equal(exitCode, 0, stderr)
      const established = ['wait', '--for=condition=Established', `crd/widgets.${group}`, '--timeout=120s']
      assert.equal((await cluster.kubectl(established)).exitCode, 0)
    }
  }

  const widget = (group: string, version: string, color: string): object => ({
    apiVersion: `${group}/${version}`,
    kind: 'Widget',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { color },
  })

  it('are told once each, through whatever version they were written, and apart from those of another group', async () => {
    const [one = '', two = ''] = GROUPS
    await world.run('alice', ['create', '-f', '-'], widget(one, 'v1', 'red'))
    await world.run('bob', ['create', '-f', '-'], widget(two, 'v1beta1', 'black'))
    await world.run(
      'carol',
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      widget(one, 'v1alpha1', 'green'),
    )
    const patch = JSON.stringify({ spec: { color: 'blue' } })
    await world.run('dave', [
      '-n',
      'shop',
      'patch',
      `widgets.v1beta1.${one}`,
      'web',
      '--type=merge',
      '-p',
      patch,
    ])
    await world.run('erin', ['-n', 'shop', 'delete', `widgets.v1alpha1.${one}`, 'web'])
    await world.settled()
    const told = async (group: string) =>
      (await world.changes('shop', ['object.resource=widgets', `object.group=${group}`])).map(
        ({ operation, state, user, changes, object }) => [
          operation,
          state,
          user?.username,
          object.version,
          ...changes
            .filter(({ path }) => path.startsWith('spec'))
            .map(({ from, to }) => `${String(from)} ${String(to)}`),
        ],
      )
    assert.deepEqual(await told(one), [
      ['CREATE', 'confirmed', 'alice', 'v1'],
      ['UPDATE', 'confirmed', 'carol', 'v1', 'red green'],
      ['UPDATE', 'confirmed', 'dave', 'v1', 'green blue'],
      ['DELETE', 'confirmed', 'erin', 'v1'],
    ])
    assert.deepEqual(await told(two), [['CREATE', 'confirmed', 'bob', 'v1']])
  })

  it('are scaled by who scaled them, wherever the definition keeps the number', async () => {
    const [one = ''] = GROUPS
    const metadata = { name: 'scaled', namespace: 'shop' }
    const object = { apiVersion: `${one}/v1`, kind: 'Widget', metadata, spec: { instances: 1 } }
    await world.run('alice', ['create', '-f', '-'], object)
    const scale = (user: string, version: string, count: number): Promise<string> =>
      world.run(user, ['-n', 'shop', 'scale', `widgets.${version}.${one}`, 'scaled', `--replicas=${count}`])
    await scale('bob', 'v1', 3)
    await scale('carol', 'v1beta1', 5)
    await world.settled()
    const changes = await world.changes('shop', ['object.name=scaled'])
    assert.deepEqual(
      changes.slice(1).map((change) => [change.state, change.user?.username, change.object.subresource]),
      [
        ['confirmed', 'bob', 'scale'],
        ['confirmed', 'carol', 'scale'],
      ],
    )
    assert.deepEqual(
      changes.slice(1).map((change) => change.changes),
      [
        [{ path: 'spec.instances', op: 'replace', from: 1, to: 3 }],
        [{ path: 'spec.instances', op: 'replace', from: 3, to: 5 }],
      ],
    )
  })
})
