import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import type { Fault } from '../kit/fake-api/fake-fault.ts'
import { isWatch, type RequestMatcher } from '../kit/fake-api/fake-faults.ts'
import { GoldenSession } from '../kit/golden.ts'
import { words } from './command-line.ts'
import { plainly } from './plainly.ts'
import { shopCluster } from './shop-cluster.ts'

const PODS = '/api/v1/namespaces/shop/pods'
const ALL_PODS = '/api/v1/pods'
const NODES = '/api/v1/nodes'
const REPLICASETS = '/apis/apps/v1/namespaces/shop/replicasets'

function refusal(resource: string, where: string, group = ''): Fault {
  const message = `${resource} is forbidden: User "dev" cannot list resource "${resource}" in API group "${group}" ${where}`
  return { kind: 'status', status: 403, reason: 'Forbidden', message }
}

function failure(status: number, reason: string, message: string): Fault {
  return { kind: 'status', status, reason, message }
}

function page(status: number, body: string): Fault {
  return { kind: 'answer', status, contentType: 'text/html', body }
}

/** What goes wrong, with which requests, the command line, and how it ends. */
const FAULTS: readonly (readonly [
  what: string,
  at: RequestMatcher,
  fault: Fault,
  line: string,
  exitCode: number,
])[] = [
  ['401', PODS, failure(401, 'Unauthorized', 'Unauthorized'), '-n shop', 3],
  ['403 in a namespace', PODS, refusal('pods', 'in the namespace "shop"'), '-n shop', 3],
  ['403 in all namespaces', ALL_PODS, refusal('pods', 'at the cluster scope'), '-A', 3],
  [
    '403 in all namespaces, with flags',
    ALL_PODS,
    refusal('pods', 'at the cluster scope'),
    "--context fake -A -l 'app in (web)'",
    3,
  ],
  ['403 before a stream', ALL_PODS, refusal('pods', 'at the cluster scope'), '-A --follow', 3],
  [
    '403 on watching only',
    isWatch,
    {
      kind: 'status',
      status: 403,
      reason: 'Forbidden',
      message:
        'pods is forbidden: User "dev" cannot watch resource "pods" in API group "" in the namespace "staging"',
    },
    '-n staging --follow --no-initial',
    3,
  ],
  ['403 of another authorizer', PODS, failure(403, 'Forbidden', 'no soup for you'), '-n shop', 3],
  ['404', PODS, failure(404, 'NotFound', 'the server could not find the requested resource'), '-n shop', 3],
  ['404 of no API server', ALL_PODS, page(404, '<h1>Not found</h1>'), '-A', 3],
  [
    '429 with a long wait',
    PODS,
    { ...failure(429, 'TooManyRequests', 'too many requests'), retryAfterSeconds: 300 } as Fault,
    '-n shop',
    3,
  ],
  ['500', PODS, failure(500, 'InternalError', 'etcdserver: leader changed'), '-n shop', 3],
  ['503', PODS, failure(503, 'ServiceUnavailable', 'apiserver is shutting down'), '-n shop', 3],
  ['503 before a stream', PODS, failure(503, 'ServiceUnavailable', 'not ready'), '-n shop --follow', 3],
  ['502 of a proxy', PODS, page(502, '<html><h1>502 Bad Gateway</h1></html>'), '-n shop', 3],
  ['a login page', PODS, page(200, '<html><title>Log in</title></html>'), '-n shop', 3],
  [
    'a login page before a stream',
    PODS,
    page(200, '<html><title>Log in</title></html>'),
    '-n shop --follow',
    3,
  ],
  [
    'an answer that is JSON and no list',
    PODS,
    { kind: 'answer', status: 200, contentType: 'application/json', body: '{"a":1}' },
    '-n shop',
    3,
  ],
  ['half an answer', PODS, { kind: 'cut', bytes: 500, how: 'close' }, '-n shop', 3],
  ['half an answer that ends in good order', PODS, { kind: 'cut', bytes: 500, how: 'end' }, '-n shop', 3],
  ['half an answer in JSON', PODS, { kind: 'cut', bytes: 500, how: 'end' }, '-n shop --no-protobuf', 3],
  ['a length that is a lie', PODS, { kind: 'content-length', more: 100 }, '-n shop', 3],
  ['a connection that closes', PODS, { kind: 'close' }, '-n shop', 3],
  ['a stall', PODS, { kind: 'stall' }, '-n shop --request-timeout 300ms', 3],
  [
    'a stall in the middle',
    PODS,
    { kind: 'cut', bytes: 500, how: 'stall' },
    '-n shop --request-timeout 300ms',
    3,
  ],
  ['no right on nodes', NODES, refusal('nodes', 'at the cluster scope'), '-n staging', 0],
  [
    'no right on nodes, sizes as JSON',
    NODES,
    refusal('nodes', 'at the cluster scope'),
    '-n staging -o json redis',
    0,
  ],
  [
    'no right on nodes, rows of kubectl-images',
    NODES,
    refusal('nodes', 'at the cluster scope'),
    '-n staging -c 1,5',
    0,
  ],
  ['nodes that answer 500', NODES, failure(500, 'InternalError', 'etcdserver: timed out'), '-n staging', 0],
  [
    'no right on ReplicaSets',
    REPLICASETS,
    refusal('replicasets', 'in the namespace "shop"', 'apps'),
    '-n shop --by pod -o wide redis',
    0,
  ],
]

describe('faults of the API server', () => {
  const golden = new GoldenSession(fileURLToPath(new URL('golden/faults.txt', import.meta.url)))
  let api: FakeApi
  before(async () => {
    api = await startFakeApi({ objects: shopCluster() })
  })
  afterEach(() => api.faults.clear())
  after(async () => {
    await api.stop()
    await golden.save()
  })

  describeForms('told by', (cli) => {
    let env: Record<string, string>
    before(async () => {
      env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
    })

    for (const [what, at, fault, line, exitCode] of FAULTS) {
      it(what, async () => {
        api.faults.always(at, fault)
        const result = await cli().run(words(line), { env })
        await golden.check(`kubectl images ${line}   # ${what}`, plainly(result, api, cli()))
        assert.equal(result.exitCode, exitCode)
      })
    }

    it('403 in all namespaces, where the context has one', async () => {
      api.faults.always(ALL_PODS, refusal('pods', 'at the cluster scope'))
      const config = JSON.parse(api.kubeconfig()) as { contexts: { context: object }[] }
      config.contexts = config.contexts.map((entry) => ({
        ...entry,
        context: { ...entry.context, namespace: 'staging' },
      }))
      const path = join(cli().folder, 'staging.kubeconfig')
      await writeFile(path, JSON.stringify(config))
      const refused = await cli().run(['-A', '-o', 'name'], { env: { KUBECONFIG: path } })
      assert.equal(refused.exitCode, 3)
      // What is advised works as it stands.
      const [, advised = ''] = /ask for it: kubectl images (.*)\n$/.exec(refused.stderr) ?? []
      assert.equal(advised, '-n staging')
      const result = await cli().run([...words(advised), '-o', 'name', 'redis'], {
        env: { KUBECONFIG: path },
      })
      assert.equal(result.stdout, 'redis:7\n')
    })

    it('429 for a moment: it waits as it is asked to and goes on', async () => {
      api.faults.next(PODS, { kind: 'status', status: 429, retryAfterSeconds: 0 }, 2)
      const result = await cli().run(['-n', 'shop', '-o', 'name', 'redis'], { env })
      assert.deepEqual(result, { stdout: 'redis:7\n', stderr: '', exitCode: 0, signal: undefined })
    })

    it('no server', async () => {
      await api.down()
      try {
        const result = await cli().run(['-A'], { env })
        await golden.check('kubectl images -A   # no server', plainly(result, api, cli()))
        assert.equal(result.exitCode, 3)
        const debug = await cli().run(['-A', '--debug'], { env })
        assert.ok(debug.stderr.startsWith(result.stderr))
        assert.match(
          debug.stderr.slice(result.stderr.length),
          /^DeckError: cannot reach .*\n +at .*(?:\n.*)*caused by: /,
        )
        assert.equal(debug.exitCode, 3)
      } finally {
        await api.up()
      }
    })

    it('a server whose name does not exist', async () => {
      const result = await cli().run(['-A', '--server', 'https://kube.invalid:6443'], { env })
      assert.equal(result.exitCode, 3)
      assert.match(
        result.stderr,
        /^error: cannot reach the API server https:\/\/kube\.invalid:6443 \(context "fake"\): its name cannot be resolved \(\w+\) \[KUBE_UNREACHABLE\]\n.*--server.*\n$/,
      )
    })

    it('a server that speaks no TLS', async () => {
      const result = await cli().run(['-A', '--server', api.url.replace('http:', 'https:')], { env })
      await golden.check(
        'kubectl images -A --server https://…   # it speaks no TLS',
        plainly(result, api, cli()),
      )
      assert.equal(result.exitCode, 3)
    })
  })
})
