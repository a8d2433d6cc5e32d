import assert from 'node:assert/strict'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { buildPod } from '../kit/fake-api/pod-builder.ts'
import { shopCluster } from './shop-cluster.ts'

const PODS = 400
const CONTAINERS = 32
const PATH = `registry.example/${'a-team/'.repeat(33)}app`
const TAG = 'x'.repeat(120)
const ONE_POD = '-n big --field-selector metadata.name=pod-123'
const ROWS = ['-n', 'big', '--by', 'container', '--no-headers']

describe('pipes and signals', () => {
  let api: FakeApi
  before(async () => {
    api = await startFakeApi({ objects: shopCluster() })
    for (let i = 0; i < PODS; i++) {
      const containers = Array.from({ length: CONTAINERS }, (_, c) => `${PATH}-${c}:${i}-${TAG}`)
      api.put(buildPod(`pod-${i}`, { namespace: 'big', containers }))
    }
  })
  afterEach(() => api.faults.clear())
  after(() => api.stop())

  describeForms('with', (cli) => {
    let env: Record<string, string>
    before(async () => {
      env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
    })
    const quiet = { stdout: '', stderr: '', signal: undefined }

    it('5 MB go through a pipe, and none of their rows is lost', async () => {
      const { stdout, stderr } = await cli().runShell(
        `$CLI ${ROWS.join(' ')} | tee rows | wc -lc; wc -l < rows`,
        {
          env,
        },
      )
      const [lines = 0, bytes = 0, again = 0] = stdout.trim().split(/\s+/).map(Number)
      assert.equal(lines, PODS * CONTAINERS)
      assert.equal(again, lines)
      assert.ok(bytes > 5_000_000, String(bytes))
      assert.equal(stderr, '')
    })

    it('5 MB wait for a reader that is slow to begin', async () => {
      const { stdout } = await cli().runShell(`$CLI ${ROWS.join(' ')} | (sleep 1; wc -l)`, { env })
      assert.equal(Number(stdout), PODS * CONTAINERS)
    })

    for (const format of ['json', 'yaml']) {
      it(`${format} is whole in a file and in a pipe`, async () => {
        const { stdout } = await cli().runShell(
          `$CLI ${ONE_POD} -o ${format} > file; $CLI ${ONE_POD} -o ${format} | cat > pipe; cmp file pipe && tail -c 60 pipe`,
          { env },
        )
        assert.match(stdout, format === 'json' ? /\]\n\}\n$/ : /pods: 1\n$/)
      })
    }

    for (const line of [
      ROWS.join(' '),
      '-n big -o json',
      '-n shop',
      '-n shop -c 1,3',
      '-n shop -o yaml',
      '--help',
    ]) {
      it(`${line} | head -1 is no failure and says nothing`, async () => {
        const { stdout, stderr } = await cli().runShell(
          `{ $CLI ${line} 2> err; echo $? > code; } | head -1; cat code`,
          {
            env,
          },
        )
        assert.match(stdout, /^.+\n0\n$/)
        assert.equal(stderr, '')
        const { stdout: err } = await cli().runShell('cat err')
        assert.doesNotMatch(err, /error|EPIPE|\n +at /)
      })
    }

    it('a reader that leaves in the middle of 5 MB ends the command', async () => {
      const running = await cli().start(ROWS, { env })
      await running.waitFor('stdout', '\n')
      running.closeStdout()
      const { exitCode, stderr } = await running.ended
      assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' })
    })

    it('a stream ends at the first line that nobody reads any more', async () => {
      const running = await cli().start(['-n', 'shop', '--follow'], { env })
      await running.waitFor('stderr', 'following')
      running.closeStdout()
      api.put(buildPod('unread', { namespace: 'shop', containers: ['unread:1'] }))
      const { exitCode, stderr } = await running.ended
      assert.equal(exitCode, 0)
      assert.doesNotMatch(stderr, /error|EPIPE/)
      api.remove('Pod', 'shop', 'unread')
    })

    it('a full disk is a failure', async () => {
      const { stderr, exitCode } = await cli().runShell('$CLI -n shop > /dev/full', { env })
      assert.equal(stderr, 'error: cannot write: ENOSPC: no space left on device, write [OUTPUT]\n')
      assert.equal(exitCode, 3)
    })

    it('a stdout or stderr that was never open harms nothing', async () => {
      assert.equal((await cli().runShell('$CLI -n shop >&-', { env })).exitCode, 0)
      assert.equal((await cli().runShell('$CLI -n shop 2>&- | wc -l', { env })).stdout.trim(), '11')
    })

    it('what stands in a pipe before it is not read', async () => {
      const piped = await cli().runShell('echo redis | $CLI -n staging -o name', { env })
      assert.equal(piped.stdout, 'Docker.io/Acme/Web:v2\nredis:7\nghcr.io/acme/web:v2.2.0\n')
      const loop = await cli().runShell(
        `printf 'shop\nstaging\n' | while read -r ns; do $CLI -n "$ns" -o name | wc -l; done`,
        { env },
      )
      assert.deepEqual(loop.stdout.split(/\s+/).filter(Boolean), ['11', '3'])
    })

    it('Ctrl-C during a stalled request is 130 and nothing else', async () => {
      api.faults.always('/api/v1/namespaces/shop/pods', { kind: 'stall' })
      const seen = api.requests.length
      const running = await cli().start(['-n', 'shop'], { env })
      while (api.requests.length === seen) await new Promise((resolve) => setTimeout(resolve, 10))
      assert.deepEqual(await running.kill('SIGINT'), { ...quiet, exitCode: 130 })
    })

    it('Ctrl-C in the middle of an answer is 130 and nothing else', async () => {
      api.faults.always('/api/v1/namespaces/big/pods', { kind: 'cut', bytes: 100_000, how: 'stall' })
      const seen = api.requests.length
      const running = await cli().start(ROWS, { env })
      while (api.requests.length === seen) await new Promise((resolve) => setTimeout(resolve, 10))
      assert.deepEqual(await running.kill('SIGINT'), { ...quiet, exitCode: 130 })
    })

    it('Ctrl-C ends it while a pager shows its first page', async () => {
      const running = await cli().start(ROWS, { env })
      await running.waitFor('stdout', '\n')
      running.stopReading()
      const { stderr, exitCode, signal } = await running.kill('SIGINT')
      // A shell says 130 of both.
      assert.ok(signal === 'SIGINT' || exitCode === 130)
      assert.equal(stderr, '')
    })

    it('Ctrl-C while a credential plugin waits is 130 and nothing else', async () => {
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'sh',
        args: ['-c', 'echo asking >&2; exec sleep 60'],
        interactiveMode: 'Never',
      }
      const config = {
        'current-context': 'a',
        clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'a', user: { exec } }],
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      }
      await cli().runShell(`cat > exec.kubeconfig <<'EOF'\n${JSON.stringify(config)}\nEOF`)
      const running = await cli().start(['-k', 'exec.kubeconfig', '-A'])
      await running.waitFor('stderr', 'asking')
      assert.deepEqual(await running.kill('SIGINT'), { ...quiet, stderr: 'asking\n', exitCode: 130 })
    })

    for (const [signal, exitCode] of [
      ['SIGINT', 130],
      ['SIGTERM', undefined],
    ] as const) {
      it(`${signal} ends a stream without a word`, async () => {
        const running = await cli().start(['-n', 'staging', '--follow', '--no-initial'], { env })
        await running.waitFor('stderr', 'following')
        assert.deepEqual(await running.kill(signal), {
          stdout: '',
          stderr: '3 images in use by 3 pods; following\n',
          exitCode,
          signal: exitCode === undefined ? signal : undefined,
        })
      })
    }

    it('Ctrl-C ends a stream that is waiting for the API server to come back', async () => {
      const running = await cli().start(['-n', 'staging', '--follow', '--no-initial'], { env })
      await running.waitFor('stderr', 'following')
      await api.down()
      try {
        await running.waitFor('stderr', 'trying again')
        const { exitCode, stderr } = await running.kill('SIGINT')
        assert.equal(exitCode, 130)
        assert.doesNotMatch(stderr, /error/)
      } finally {
        await api.up()
      }
    })
  })
})
