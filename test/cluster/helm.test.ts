import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEFAULT_VALUES, OWNED_SELECTOR, manifests, ownedKinds } from '../../server/deploy/index.ts'
import { RECORDED_RESOURCES } from '../../server/audit-log/recorded-resources.ts'
import { webhooksOf } from '../../server/audit-log/registration/webhooks-of.ts'
import { RECORDS_ALL } from '../kit/audit-config.ts'
import { helm, requireHelm } from '../kit/helm.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

const CHART = fileURLToPath(new URL('../../server/deploy/chart', import.meta.url))

describe('the chart, installed by Helm', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let program: string
  let folder: string

  before(async function () {
    await requireKubernetes(this)
    program = await requireHelm(this)
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-helm-'))
    cluster = await startControlPlane()
  })

  after(async () => {
    await cluster?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const run = (...args: string[]) =>
    helm(program, folder, [...args, '--namespace', 'deckwatch'], { kubeconfig: cluster.adminKubeconfig })

  async function succeed(...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await run(...args)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  it('makes the namespace with its Pod Security, and everything in it', async () => {
    const notes = await succeed('install', 'deckwatch', CHART, '--create-namespace')
    assert.match(notes, /kubectl delete apiservice v1alpha1\.deckwatch\.dev/)
    assert.match(notes, /kubectl deckwatch status/)
    for (const { path, object } of manifests(DEFAULT_VALUES)) {
      const { metadata } = await cluster.admin.send<typeof object>('GET', path)
      for (const [label, value] of Object.entries(object.metadata.labels)) {
        assert.equal(metadata.labels[label], label.endsWith('/managed-by') ? 'Helm' : value, path)
      }
    }
  })

  it('changes it in place, back and forth', async () => {
    await succeed('upgrade', 'deckwatch', CHART, '--set', 'apiReplicas=2')
    const services = '/api/v1/namespaces/deckwatch/services/deckwatch'
    const selected = await cluster.admin.send<{ spec: { selector: Record<string, string> } }>('GET', services)
    assert.equal(selected.spec.selector['app.kubernetes.io/component'], 'api')
    await succeed('upgrade', 'deckwatch', CHART, '--reset-values')
    assert.deepEqual(await namesOf('Deployment'), ['deckwatch'])
    assert.deepEqual(await namesOf('PodDisruptionBudget'), [])
  })

  it('brings the webhook empty, and leaves what the companion writes into it', async () => {
    const configuration = manifests({ ...DEFAULT_VALUES, components: ['audit-log'] }).find(
      ({ object }) => object.kind === 'ValidatingWebhookConfiguration',
    )
    assert.ok(configuration)
    const read = () =>
      cluster.admin.send<{ metadata: { uid: string }; webhooks?: readonly unknown[] }>(
        'GET',
        configuration.path,
      )
    const components = 'components={image-graph,audit-log}'
    await succeed('upgrade', 'deckwatch', CHART, '--set', components)
    const empty = await read()
    assert.equal(empty.webhooks, undefined)
    const [webhook] = webhooksOf({
      config: RECORDS_ALL,
      resources: RECORDED_RESOURCES,
      service: { namespace: 'deckwatch', name: 'deckwatch', port: 443 },
      path: '/audit/x',
      bundle: '',
      ownNamespaces: ['deckwatch'],
      ownUsers: [],
    })
    const { metadata, apiVersion, kind } = configuration.object
    const { exitCode, stderr } = await cluster.kubectl(
      ['apply', '--server-side', '--field-manager=deckwatch-companion', '-f', '-'],
      {
        input: JSON.stringify({
          apiVersion,
          kind,
          metadata: { name: metadata.name },
          webhooks: [{ ...webhook, clientConfig: { url: 'https://127.0.0.1/audit' } }],
        }),
      },
    )
    assert.equal(exitCode, 0, stderr)
    const { webhooks } = await read()
    assert.equal(webhooks?.length, 1)
    await succeed('upgrade', 'deckwatch', CHART, '--set', components, '--set', 'logLevel=debug')
    const after = await read()
    assert.deepEqual([after.metadata.uid, after.webhooks], [empty.metadata.uid, webhooks])
    const notes = await succeed('upgrade', 'deckwatch', CHART, '--set', components)
    assert.match(notes, /kubectl delete validatingwebhookconfiguration deckwatch-audit-log/)
    await succeed('upgrade', 'deckwatch', CHART, '--reset-values')
    assert.deepEqual(await namesOf('ValidatingWebhookConfiguration'), [])
  })

  it('removes everything but the namespace, which holds what the companion made for itself', async () => {
    await succeed('uninstall', 'deckwatch', '--wait')
    for (const { kind } of ownedKinds('deckwatch')) {
      assert.deepEqual(await namesOf(kind), kind === 'Namespace' ? ['deckwatch'] : [], kind)
    }
  })

  it('can come again into the namespace that it left', async () => {
    await succeed('install', 'deckwatch', CHART)
    await succeed('uninstall', 'deckwatch', '--wait')
  })

  it('refuses where kubectl deckwatch install was before, and says what to do', async () => {
    const items = manifests(DEFAULT_VALUES).map(({ object }) => object)
    const applied = await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    })
    assert.equal(applied.exitCode, 0, applied.stderr)
    const { exitCode, stderr } = await run('install', 'deckwatch', CHART)
    assert.notEqual(exitCode, 0)
    assert.match(stderr, /installed by kubectl deckwatch install: .*kubectl deckwatch uninstall/)
  })

  async function namesOf(wanted: string): Promise<string[]> {
    const names: string[] = []
    for (const { kind, plural, group, version, namespace } of ownedKinds('deckwatch')) {
      if (kind !== wanted) continue
      const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
      const within = namespace === undefined ? '' : `/namespaces/${namespace}`
      const path = `${root}${within}/${plural}?labelSelector=${encodeURIComponent(OWNED_SELECTOR)}`
      const list = await cluster.admin.send<{ items: { metadata: { name: string } }[] }>('GET', path)
      names.push(...list.items.map(({ metadata }) => metadata.name))
    }
    return names
  }
})
