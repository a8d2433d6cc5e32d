import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEFAULT_VALUES, manifests, type DeployValues, type KubeObject } from '../../server/deploy/index.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { freePorts } from '../kit/kubernetes/free-ports.ts'
import { deleteNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

const PROGRAM = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
const API_SERVICE = '/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.deckwatch.dev'
const HOST = '127.0.0.1'

/** A companion that runs here as a pod would: with a Deployment's flags and its ServiceAccount's token. */
interface Companion {
  readonly log: readonly string[]
  readonly port: number
  /** SIGTERM, then waits for the end. */
  stop(): Promise<void>
}

describe('the companion, with exactly the rights of its manifests', function () {
  this.timeout(300_000)
  // A cluster of its own: namespaces and the APIService come and go.
  let cluster: ControlPlane
  let folder: string
  const running: Companion[] = []

  before(async function () {
    await requireKubernetes(this)
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-rights-'))
    cluster = await startControlPlane()
  })

  afterEach(async () => {
    await Promise.all(running.splice(0).map((companion) => companion.stop()))
  })

  after(async () => {
    await cluster?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  async function apply(values: DeployValues): Promise<void> {
    const items = manifests(values).map(({ object }) => object)
    const { stderr, exitCode } = await cluster.kubectl(['apply', '--server-side', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    })
    assert.equal(exitCode, 0, stderr)
  }

  async function start(values: DeployValues, name: string, ...flags: string[]): Promise<Companion> {
    const { namespace } = values
    const own = await mkdtemp(join(folder, 'pod-'))
    const objects = manifests(values).map(({ object }) => object)
    const config = objects.find(({ kind }) => kind === 'ConfigMap')?.['data'] as Record<string, string>
    await writeFile(join(own, 'config.yaml'), config['config.yaml'] ?? '')
    const deployment = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name)
    const [port = 0] = await freePorts(1)
    const child = spawn(
      process.execPath,
      [
        PROGRAM,
        ...argsOf(deployment),
        `--config=${join(own, 'config.yaml')}`,
        `--kubeconfig=${cluster.tokenKubeconfig(await cluster.token(namespace, name))}`,
        `--data=${own}`,
        `--api-address=${HOST}:${port}`,
        `--metrics-address=${HOST}:0`,
        ...flags,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    const log: string[] = []
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => log.push(line))
    }
    const ended = once(child, 'exit')
    const companion: Companion = {
      log,
      port,
      async stop() {
        child.kill('SIGTERM')
        await ended
      },
    }
    running.push(companion)
    return companion
  }

  async function boundToken({ namespace }: DeployValues): Promise<string> {
    const selector = encodeURIComponent('app.kubernetes.io/component=companion')
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`
    const pod = await eventually(async () => {
      const { items } = await cluster.admin.send<{ items: { metadata: { name: string } }[] }>('GET', path)
      return items[0]?.metadata.name
    })
    const bound = ['--bound-object-kind=Pod', `--bound-object-name=${pod}`, '--audience=deckwatch-peer']
    const { stdout, stderr } = await cluster.kubectl([
      'create',
      'token',
      'deckwatch',
      '-n',
      namespace,
      ...bound,
    ])
    assert.equal(stderr, '')
    const file = join(folder, `token-${namespace}`)
    await writeFile(file, stdout.trim(), { mode: 0o600 })
    return file
  }

  async function becomesReady({ port, log }: Companion): Promise<void> {
    let last = ''
    await eventually(async () => {
      const { status, body } = await ask(port, '/readyz?verbose')
      last = body
      return status === 200
    }).catch(() => assert.fail(`not ready: ${last}\n${log.join('\n')}`))
  }

  async function authorityIsPublished(): Promise<void> {
    await eventually(async () => {
      const { spec } = await cluster.admin.send<{ spec: { caBundle?: string } }>('GET', API_SERVICE)
      return spec.caBundle !== undefined
    })
  }

  async function webhooks(): Promise<readonly unknown[]> {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/deckwatch-audit-log'
    return (await cluster.admin.send<{ webhooks?: unknown[] }>('GET', path)).webhooks ?? []
  }

  it('works whole in one pod, and takes its APIService along when its namespace goes', async () => {
    const values = { ...DEFAULT_VALUES, namespace: 'one-pod' }
    await apply(values)
    const companion = await start(values, 'deckwatch')
    await becomesReady(companion)
    await authorityIsPublished()
    nothingWasForbidden(companion)
    await deleteNamespace(cluster.admin, values.namespace)
    await eventually(async () => {
      const path = '/apis/apiregistration.k8s.io/v1/apiservices'
      const { items } = await cluster.admin.send<{ items: { metadata: { name: string } }[] }>('GET', path)
      return items.every(({ metadata }) => metadata.name !== 'v1alpha1.deckwatch.dev')
    })
  })

  it('records changes, and takes its webhook along when its namespace goes', async () => {
    const values = { ...DEFAULT_VALUES, namespace: 'records', components: ['image-graph', 'audit-log'] }
    await apply(values)
    const companion = await start(values, 'deckwatch')
    await becomesReady(companion)
    await eventually(async () => (await webhooks()).length === 1)
    nothingWasForbidden(companion)
    await deleteNamespace(cluster.admin, values.namespace)
    await eventually(async () => (await webhooks()).length === 0)
  })

  for (const component of ['image-graph', 'audit-log']) {
    it(`works in two pods, neither with the rights of the other: ${component}`, async () => {
      const namespace = `two-pods-${component}`
      const values = { ...DEFAULT_VALUES, namespace, apiReplicas: 1, components: [component] }
      await apply(values)
      const [peer = 0] = await freePorts(1)
      const api = await start(values, 'deckwatch-api', `--peers=${component}=${HOST}:${peer}`)
      const rooms = await start(
        values,
        'deckwatch',
        `--peer-address=${HOST}:${peer}`,
        `--leaf-url=https://${HOST}:${api.port}/peer/v1/leaf`,
        `--token-file=${await boundToken(values)}`,
      )
      await becomesReady(api)
      await becomesReady(rooms)
      await authorityIsPublished()
      if (component === 'audit-log') {
        await eventually(async () => JSON.stringify(await webhooks()).includes('"name":"deckwatch-audit"'))
      }
      await Promise.all([api.stop(), rooms.stop()])
      for (const companion of [api, rooms]) nothingWasForbidden(companion)
      // A plain end is not the end of the namespace.
      if (component === 'audit-log') assert.equal((await webhooks()).length, 1)
      await cluster.admin.text('DELETE', API_SERVICE)
    })
  }
})

function nothingWasForbidden({ log }: Companion): void {
  assert.ok(log.length > 0)
  assert.deepEqual(
    log.filter((line) => /forbidden|"status":403/i.test(line)),
    [],
  )
}

function argsOf(deployment: KubeObject | undefined): readonly string[] {
  assert.ok(deployment)
  const { spec } = deployment as unknown as {
    spec: { template: { spec: { containers: [{ args: readonly string[] }] } } }
  }
  return spec.template.spec.containers[0].args
}

/** The first answer that is not false or undefined; fails after three minutes. */
async function eventually<T>(look: () => Promise<T | false | undefined>): Promise<T> {
  for (let tries = 0; tries < 720; tries++) {
    const found = await look().catch(() => undefined)
    if (found !== undefined && found !== false) return found
    await setTimeout(250)
  }
  throw new Error('it did not happen within three minutes')
}

async function ask(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  // As the kubelet, which does not verify either.
  const request = get({ host: HOST, port, path, rejectUnauthorized: false, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, body: await text(response) }
}
