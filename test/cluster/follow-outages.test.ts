import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Pod } from '@kubernetes/client-node'
import { ApiStatusError } from '../kit/kubernetes/api-client.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { FollowProcess } from '../kit/plugin/follow-process.ts'
import { KubectlImages } from '../kit/plugin/kubectl-images.ts'
import { shortToken } from '../kit/plugin/short-token.ts'

/** How long a token of these tests lives, in milliseconds: past what starting the follower takes. */
const TOKEN_MS = 12_000
/** Long enough for however long the API server takes to start. */
const LASTING_MS = 10 * 60_000

describe('kubectl images --follow goes on, and tells the true difference,', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  const started: FollowProcess[] = []
  let namespaces = 0
  let namespace = ''

  before(async function () {
    await requireKubernetes(this)
    // Not the shared one: these tests kill it.
    cluster = await startControlPlane()
  })

  after(() => cluster?.stop())

  beforeEach(() => {
    namespace = `outage-${++namespaces}`
  })

  afterEach(async () => {
    for (const following of started.splice(0)) await following.kill()
    if (!cluster.apiServer.running) await cluster.apiServer.start()
  })

  async function follow(kubeconfig = cluster.adminKubeconfig): Promise<FollowProcess> {
    const following = await FollowProcess.start(cluster, ['-n', namespace, '-o', 'json'], { kubeconfig })
    started.push(following)
    return following
  }

  const pod = (name: string, image = `${name}:1`): V1Pod => ({
    metadata: { name, namespace },
    spec: { containers: [{ name: 'app', image }] },
  })

  /** Ends its connection while it cannot make another: what a server sends to a stopped process would still be read. */
  async function disconnect(following: FollowProcess): Promise<void> {
    following.pause()
    await cluster.apiServer.restart()
  }

  /** What happened while nobody was looking: `gone` ends, `news` comes, `again` returns as itself, `swap` as another. */
  async function changeBehindItsBack(): Promise<void> {
    await deletePods(cluster, [pod('gone'), pod('again'), pod('swap')])
    await createPods(cluster, [pod('news'), pod('again'), pod('swap', 'swapped:1')])
    const edit = ['set', 'image', 'pod/edited', 'app=edited:2', `--namespace=${namespace}`]
    assert.equal((await cluster.kubectl(edit)).exitCode, 0)
    await createPods(cluster, [pod('passing')])
    await deletePods(cluster, [pod('passing')])
  }

  const BEFORE = ['again', 'edited', 'gone', 'kept', 'swap']
  const DIFFERENCE = ['+ edited:2', '+ news:1', '+ swapped:1', '- edited:1', '- gone:1', '- swap:1']

  async function startWithPods(): Promise<FollowProcess> {
    await createPods(
      cluster,
      BEFORE.map((name) => pod(name)),
    )
    const following = await follow()
    assert.deepEqual(
      following.changes.toSorted(),
      BEFORE.map((name) => `+ ${name}:1`),
    )
    return following
  }

  /** Waits for the next ordinary change, and checks what else was told after the first `told` lines. */
  async function expectNext(
    following: FollowProcess,
    told: number,
    others: readonly string[] = [],
  ): Promise<void> {
    const name = `next-${Date.now()}`
    await createPods(cluster, [pod(name)])
    await following.waitFor(() => following.changes.includes(`+ ${name}:1`), 'the next change')
    assert.deepEqual(following.changes.slice(told, -1).toSorted(), others.toSorted())
    assert.equal(following.changes.at(-1), `+ ${name}:1`)
  }

  /** stderr is a pipe of its own, which may be read later than what stdout said after it. */
  async function expectStderr(following: FollowProcess, pattern: RegExp): Promise<void> {
    await following.waitFor(() => pattern.test(following.stderr), `stderr with ${pattern.source}`)
  }

  async function expectDifference(following: FollowProcess): Promise<void> {
    const first = BEFORE.length
    await following.waitFor(() => following.lines.length >= first + DIFFERENCE.length, 'the difference')
    const events = following.events.slice(first)
    assert.deepEqual(events.map(({ op, image }) => `${op} ${image}`).toSorted(), DIFFERENCE)
    assert.ok(events.every(({ late }) => late))
    await expectStderr(following, /; resumed with a new list: what came and went in between is not told$/m)
    await expectNext(following, first + DIFFERENCE.length)
    assert.equal(following.events.at(-1)?.late, false)
  }

  it('when the API server dies and comes back with nothing changed', async () => {
    const following = await startWithPods()
    await cluster.apiServer.restart()
    await expectNext(following, BEFORE.length)
    await expectStderr(following, /^\d\d:\d\d:\d\dZ the watch was lost \(.*\); trying again$/m)
    await expectStderr(following, /^not watching \d\d:\d\d:\d\dZ–\d\d:\d\d:\d\dZ; resumed/m)
  })

  /**
   * Whether the API server that was just started can still tell what came after these pods: not where anything else was
   * written between them and its start, such as its own Lease.
   */
  async function stillKnows(resourceVersion: string): Promise<boolean> {
    const path = `/api/v1/namespaces/${namespace}/pods?watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`
    try {
      return !(await cluster.admin.text('GET', path)).includes('"code":410')
    } catch (error) {
      if (error instanceof ApiStatusError && error.status === 410) return false
      throw error
    }
  }

  async function disconnectedFromOneThatKnows(): Promise<FollowProcess> {
    for (let attempt = 1; attempt <= 5; attempt++) {
      const following = await startWithPods()
      const { items } = await cluster.admin.send<{ items: V1Pod[] }>(
        'GET',
        `/api/v1/namespaces/${namespace}/pods`,
      )
      const versions = items.map(({ metadata }) => Number(metadata?.resourceVersion))
      await disconnect(following)
      if (await stillKnows(String(Math.max(...versions)))) return following
      await following.kill()
      namespace = `outage-${++namespaces}`
    }
    throw new Error('the API server never knew what had happened before its start')
  }

  it('when the API server dies and still knows all that has happened since: then nothing is left out', async () => {
    const following = await disconnectedFromOneThatKnows()
    await changeBehindItsBack()
    following.resume()
    await expectNext(following, BEFORE.length, [
      ...DIFFERENCE,
      '+ again:1',
      '+ passing:1',
      '- again:1',
      '- passing:1',
    ])
    await expectStderr(following, /; resumed, nothing missed$/m)
  })

  it('when the API server dies and has forgotten what happened before', async () => {
    const following = await startWithPods()
    await disconnect(following)
    await changeBehindItsBack()
    await cluster.apiServer.restart()
    following.resume()
    await expectDifference(following)
  })

  it('when what it knew is too old to go on from (410 Expired)', async () => {
    const following = await startWithPods()
    await disconnect(following)
    await changeBehindItsBack()
    await cluster.expireResourceVersions()
    following.resume()
    await expectDifference(following)
  })

  it('when the API server dies twice in a row', async () => {
    const following = await startWithPods()
    for (const told of [BEFORE.length, BEFORE.length + 1]) {
      await cluster.apiServer.kill()
      await following.waitFor(() => following.stderr.endsWith('trying again\n'), 'word of the outage')
      await cluster.apiServer.start()
      await expectNext(following, told)
    }
  })

  it('when the API server hangs for some seconds and then goes on', async () => {
    const following = await startWithPods()
    cluster.apiServer.pause()
    await delay(3000)
    cluster.apiServer.resume()
    await expectNext(following, BEFORE.length)
  })

  it('when it was itself stopped for a while, like a laptop that sleeps', async () => {
    const following = await startWithPods()
    following.pause()
    await createPods(cluster, [pod('news')])
    await delay(1000)
    following.resume()
    await following.waitFor(() => following.changes.includes('+ news:1'), 'what it missed')
    await expectNext(following, BEFORE.length + 1)
  })

  describe('when its token has ended,', () => {
    const account = { namespace: 'default', name: 'follower' }
    const token = (lifeMs = TOKEN_MS) => shortToken(cluster, { ...account, expiresAt: Date.now() + lifeMs })

    before(async () => {
      const rights = ['--clusterrole=view', '--serviceaccount=default:follower']
      await cluster.kubectl(['create', 'clusterrolebinding', 'follower', ...rights])
    })

    /** A kubeconfig whose user is `lines` in place of a token. */
    function kubeconfigWith(name: string, lines: readonly string[]): string {
      const text = readFileSync(cluster.tokenKubeconfig('unused'), 'utf8')
      const path = cluster.folder.file(`${name}.kubeconfig`)
      writeFileSync(path, text.replace('token: unused', lines.join('\n      ')), { mode: 0o600 })
      return path
    }

    it('and an exec plugin gives another', async () => {
      const [answer, calls] = ['answer', 'calls'].map((name) => cluster.folder.file(`exec-${name}`))
      const program = cluster.folder.file('exec-plugin.sh')
      writeFileSync(program, `#!/bin/sh\necho >> ${calls}\ncat ${answer}\n`, { mode: 0o700 })
      const renew = async (lifeMs: number) => {
        const status = {
          token: await token(lifeMs),
          expirationTimestamp: new Date(Date.now() + lifeMs).toISOString(),
        }
        const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }
        writeFileSync(answer ?? '', JSON.stringify(credential))
      }
      const ends = Date.now() + TOKEN_MS
      await renew(TOKEN_MS)
      const exec = ['exec:', '  apiVersion: client.authentication.k8s.io/v1', '  interactiveMode: Never']
      const following = await follow(kubeconfigWith('exec', [...exec, `  command: ${program}`]))
      await delay(ends + 1000 - Date.now())
      await renew(LASTING_MS)
      await cluster.apiServer.restart()
      await expectNext(following, 0)
      assert.ok(readFileSync(calls ?? '', 'utf8').length >= 2)
    })

    it('and another is written to its file, be it late', async () => {
      const file = cluster.folder.file('token')
      const ends = Date.now() + TOKEN_MS
      writeFileSync(file, await token())
      await createPods(cluster, [pod('gone')])
      const following = await follow(kubeconfigWith('file', [`tokenFile: ${file}`]))
      await delay(ends + 1000 - Date.now())
      await cluster.apiServer.restart()
      await following.waitFor(() => following.stderr.includes('does not know us'), 'word of the ended token')
      await deletePods(cluster, [pod('gone')])
      writeFileSync(file, await token(LASTING_MS))
      await following.waitFor(() => following.changes.includes('- gone:1'), 'what it missed')
      await expectNext(following, 2)
    })
  })

  it('but not at the start: an API server that is not there is an error and exit code 3', async () => {
    await cluster.apiServer.kill()
    const { stdout, stderr, exitCode } = await new KubectlImages(cluster).run(['--follow'])
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /^error: cannot reach the API server .*: nothing listens there .* \[KUBE_UNREACHABLE\]/,
    )
    assert.equal(exitCode, 3)
  })
})
