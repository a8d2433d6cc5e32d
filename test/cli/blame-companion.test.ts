import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Change } from '../../src/core/wire/change.ts'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { isWatch } from '../kit/fake-api/fake-faults.ts'
import { type CliResult, type RunningCli, whyNoTerminal } from '../kit/run-cli.ts'
import { skip } from '../kit/skip.ts'
import { blameObjects, change, recordChanges } from './blame-cluster.ts'
import { words } from './command-line.ts'

const program = 'kubectl-blame'
const ROOT = '/apis/deckwatch.dev/v1alpha1'
const CHANGES = `${ROOT}/namespaces/shop/changes`
const CLUSTER_CHANGES = `${ROOT}/clusterchanges`
const WEB = '/apis/apps/v1/namespaces/shop/deployments/web'

describe('kubectl blame and its companion', () => {
  let api: FakeApi
  let seen: number
  const paths = (): string[] => api.requests.slice(seen).map(({ path }) => path)
  const scale = (to: number) =>
    change(0, {
      time: new Date().toISOString(),
      changes: [{ path: 'spec.replicas', op: 'replace', from: 6, to }],
    })

  beforeEach(async () => {
    api = await startFakeApi({ objects: blameObjects(), companion: true })
    recordChanges(api)
    seen = 0
  })
  afterEach(() => api.stop())

  describeForms('by', (cli) => {
    const options = async (env: Readonly<Record<string, string>> = {}) => ({
      program,
      env: { KUBECONFIG: await api.writeKubeconfig(cli().folder), TZ: 'UTC', ...env },
    })
    const run = async (line: string, env: Readonly<Record<string, string>> = {}): Promise<CliResult> => {
      seen = api.requests.length
      return cli().run(words(line), await options(env))
    }
    const changesOf = async (line: string): Promise<Change[]> => {
      const { stdout, stderr, exitCode } = await run(`${line} -o json`)
      assert.equal(exitCode, 0, stderr)
      return (JSON.parse(stdout) as { items: Change[] }).items
    }
    const forget = (): Promise<void> => rm(join(cli().folder, 'cache'), { recursive: true, force: true })
    /** Lets it find out what there is, however long that takes: a plain run waits for 300 ms only. */
    const findOut = async (): Promise<void> => {
      await forget()
      await run('deploy web -n shop -o name --companion=require')
    }
    beforeEach(findOut)

    it('takes one request for an object of a type of Kubernetes’ own', async () => {
      await run('deploy web -n shop')
      assert.deepEqual(paths(), [CHANGES])
      const asked = api.requests.at(-1)?.query
      assert.equal(
        asked?.get('fieldSelector'),
        'object.group=apps,object.resource=deployments,object.name=web',
      )
      assert.equal(asked?.get('perObject'), '3')
    })

    it('asks for the object and who touched it at the same time with -f yaml', async () => {
      await run('deploy web -n shop -f yaml')
      assert.deepEqual(paths().toSorted(), [WEB, CHANGES].toSorted())
    })

    it('asks for the types of the API once, and knows them in the next run', async () => {
      await run('widgets bolt -n shop -f yaml')
      assert.deepEqual(
        paths()
          .filter((path) => /^\/apis?$/.test(path))
          .toSorted(),
        ['/api', '/apis'],
      )
      assert.equal((await run('widgets.toys.example.com x')).exitCode, 3)
      assert.deepEqual(paths(), [CLUSTER_CHANGES, '/apis/toys.example.com/v1/widgets/x'])
    })

    it('learns from the server which version of a type it serves, and which types it lacks', async () => {
      api.put({
        kind: 'PodDisruptionBudget',
        metadata: {
          name: 'web',
          namespace: 'shop',
          managedFields: [{ manager: 'helm', operation: 'Update', fieldsV1: { 'f:spec': {} } }],
        },
        spec: { minAvailable: 1 },
      })
      for (const line of ['pdb web', 'pdb', 'pdb web -f yaml']) {
        const { stdout, stderr, exitCode } = await run(`${line} -n shop --companion=never`)
        assert.equal(exitCode, 0, stderr)
        assert.match(stdout, /helm/)
      }
      const { stderr, exitCode } = await run('hpa -n shop --companion=never')
      assert.equal(exitCode, 2)
      assert.match(stderr, /the server has no resource type "horizontalpodautoscalers\.autoscaling"/)
    })

    for (const [line, fields] of [
      ['--user dev-1@example.org', 'user.username=dev-1@example.org'],
      ["--user 'a,b=c'", String.raw`user.username=a\,b\=c`],
      ['--manager helm --tool helm', 'via.manager=helm,via.tool=helm'],
      ['--operation delete', 'operation=DELETE'],
      ['--state not-landed', 'state=not-landed'],
      ['--manual', 'via.manual=true'],
    ] as const) {
      it(`lets it look for ${line}`, async () => {
        await run(`deploy -n shop ${line}`)
        const asked = api.requests.slice(seen).find(({ path }) => path === CHANGES)
        assert.equal(
          asked?.query.get('fieldSelector'),
          `object.group=apps,object.resource=deployments,${fields}`,
        )
      })
    }

    it('chooses itself what no field selector says, before anything is cut away', async () => {
      const names = async (line: string) => (await changesOf(line)).map(({ metadata }) => metadata?.name)
      assert.deepEqual(
        await names('deploy web -n shop --max-history 1 --manager helm --manager kubectl-edit'),
        ['w1-3'],
      )
      assert.deepEqual(await names('deploy web -n shop --field containers[app].env --max-history 1'), [
        'w1-1',
      ])
      assert.deepEqual(await names('deploy web -n shop --group shop-dev --group x'), ['w1-3'])
      assert.deepEqual(await names('deploy web -n shop --state not-landed,confirmed'), [
        'w1-5',
        'w1-3',
        'w1-1',
      ])
    })

    it('tells of a deleted object, and that there never was another', async () => {
      assert.equal((await run('deploy old -n shop')).exitCode, 0)
      const { exitCode, stdout, stderr } = await run('deploy never -n shop')
      assert.deepEqual([exitCode, stdout], [3, ''])
      assert.match(
        stderr,
        /cannot get deployments\.apps "never" in namespace shop: .* not found \[KUBE_NOT_FOUND\]/,
      )
    })

    it('prints what can be told of several objects, and fails for the others', async () => {
      const { exitCode, stdout, stderr } = await run('deploy web never nor -n shop')
      assert.equal(exitCode, 3)
      assert.match(stdout, /dev-1@example\.org/)
      assert.match(stderr, /"never" not found[^]*"nor" not found/)
    })

    it('shows the namespace where the caller may not read the whole cluster, and says so', async () => {
      api.faults.always(CLUSTER_CHANGES, { kind: 'status', status: 403, reason: 'Forbidden' })
      const { stdout, stderr, exitCode } = await run('--since 30d')
      assert.equal(exitCode, 0)
      assert.match(stdout, /^Last 30d in default/)
      assert.match(
        stderr,
        /^You may not read the changes of the whole cluster: these are of namespace default\n/,
      )
      const everywhere = await run('-A --since 30d')
      assert.equal(everywhere.exitCode, 3)
      assert.match(everywhere.stderr, /may not list clusterchanges\.deckwatch\.dev.*\[KUBE_FORBIDDEN\]/)
    })

    it('shows managedFields where changes may not be read, and says which right is missing', async () => {
      api.faults.always(CHANGES, { kind: 'status', status: 403, reason: 'Forbidden' })
      const { stdout, stderr, exitCode } = await run('deploy web -n shop')
      assert.equal(exitCode, 0)
      assert.match(stdout, /last writes by field manager/)
      assert.match(stderr, /may not list changes\.deckwatch\.dev in namespace shop.*; showing field managers/)
      assert.equal((await run('deploy web -n shop --companion=require')).exitCode, 3)
    })

    it('shows managedFields where the companion is down, and does not fail', async () => {
      await forget()
      api.faults.always(ROOT, { kind: 'status', status: 503, reason: 'ServiceUnavailable' })
      const { stdout, stderr, exitCode } = await run('deploy web -n shop')
      assert.equal(exitCode, 0)
      assert.match(stdout, /last writes by field manager/)
      assert.match(stderr, /kubectl deckwatch status/)
      assert.equal((await run('deploy web -n shop -f diff')).exitCode, 3)
    })

    it('shows managedFields with a companion that records no changes, and says how to add that', async () => {
      await forget()
      api.companion.resources = ['images', 'clusterimages']
      // The probe is given as long as it takes.
      assert.equal((await run('deploy web -n shop --companion=require')).exitCode, 3)
      const { stdout, stderr, exitCode } = await run('deploy web -n shop')
      assert.equal(exitCode, 0)
      assert.match(stdout, /last writes by field manager/)
      assert.match(stderr, /kubectl deckwatch install --components all/)
      const required = await run('deploy web -n shop --companion=require')
      assert.match(required.stderr, /serves no changes \[COMPANION_ABSENT\]\n.*--components all/)
    })

    it('goes on by managedFields where its answer is not understood', async () => {
      const body = JSON.stringify({ kind: 'ChangeList', metadata: { resourceVersion: '1' }, items: [] })
      api.faults.always(CHANGES, { kind: 'answer', status: 200, contentType: 'application/json', body })
      const { stdout, stderr, exitCode } = await run('deploy web -n shop')
      assert.equal(exitCode, 0)
      assert.match(stdout, /last writes by field manager/)
      assert.match(stderr, /the companion is not understood/)
    })

    it('says what the companion wants its reader to know', async () => {
      api.companion.changes.warnings = ['recording has stopped: the volume is full']
      const { stderr } = await run('deploy web -n shop')
      assert.match(stderr, /^Warning: recording has stopped: the volume is full\n/)
    })

    it('says that --include adds nothing to what is recorded, and nothing of it where it does', async () => {
      const told = async (line: string) => (await run(line)).stderr.includes('--include adds nothing here')
      assert.equal(await told('deploy web -n shop --include status'), true)
      assert.equal(await told('deploy web -n shop'), false)
      assert.equal(await told('deploy web -n shop --include status --companion=never'), false)
      assert.equal(await told('deploy web -n shop --include status -f yaml'), false)
    })

    it('prints no empty list of objects where the object could not be read', async () => {
      const { exitCode, stdout } = await run('deploy never -n shop -o json')
      assert.deepEqual([exitCode, stdout], [3, ''])
      assert.deepEqual(await changesOf('deploy web -n shop --user nobody'), [])
    })

    it('does not say beside a list what its header says', async () => {
      api.companion.changes.warnings = ['changes are recorded since 2026-11-01T00:00:00Z']
      const warned = async (line: string) =>
        (await run(line)).stderr.includes('Warning: changes are recorded')
      assert.equal(await warned('deploy web -n shop --since 900d'), false)
      assert.equal(await warned('--since 900d'), false)
      assert.equal(await warned('deploy web -n shop --since 900d -f patch'), true)
      assert.equal(await warned('deploy web -n shop --since 900d --no-headers'), true)
      assert.equal(await warned('deploy web -n shop --since 900d --user nobody'), true)
    })

    it('reads all pages of a long history', async () => {
      for (let i = 0; i < 600; i++) api.companion.changes.record(scale(i))
      assert.equal((await changesOf('deploy web -n shop --max-history 0')).length, 603)
      assert.equal((await changesOf('deploy web -n shop --group shop-dev --max-history 0')).length, 601)
    })

    it('offers the whole names of those that nobody has, by one more question', async () => {
      const asked = async (line: string): Promise<readonly [string, number]> => {
        const { stdout, stderr, exitCode } = await run(line)
        assert.equal(exitCode, 0, stderr)
        return [stdout + stderr, paths().filter((path) => path.endsWith('changes')).length]
      }
      const [told, count] = await asked('deploy web -n shop --user dev-1')
      assert.match(
        told,
        /^No change of deployment\/web in shop matches; \d without these filters\nDid you mean --user dev-1@example\.org\?\n$/,
      )
      assert.equal(count, 2)
      for (const [line, said] of [
        ['deploy -n shop --user dev-1', '--user dev-1@example.org'],
        ['-n shop --since 90d --user dev-1', '--user dev-1@example.org'],
        ['deploy web -n shop --field image', "--field 'containers[app].image'"],
        ['deploy web -n shop --manager edit', '--manager kubectl-edit'],
      ] as const) {
        const [text] = await asked(line)
        assert.ok(text.includes(`Did you mean ${said}`), `${line}: ${text}`)
      }
      // Where something is found, and where nothing was misspelt, nothing more is asked.
      assert.equal((await asked('deploy web -n shop --user dev-1@example.org'))[1], 1)
      assert.equal((await asked('deploy web -n shop --operation connect'))[1], 1)
    })

    it('says of what is not recorded that it is not, and shows its field managers', async () => {
      api.companion.changes.unrecorded = new Set(['deployments'])
      api.companion.changes.warnings = ['not recorded: deployments.apps: and so on']
      const NEW = 'never-recorded'
      const [web] = blameObjects()
      assert.ok(web)
      api.put({ ...web, metadata: { ...web.metadata, name: NEW } })
      const { stdout, stderr, exitCode } = await run(`deploy ${NEW} -n shop`)
      assert.equal(exitCode, 0, stderr)
      assert.match(stdout, /^deployment\/never-recorded in shop: last writes by field manager/)
      assert.match(
        stderr,
        /^Changes of deployments\.apps are not recorded, so managers, not people\nTo record them, .*: --set auditLog\.resources=\{deployments\.v1\.apps\}$/m,
      )
      assert.doesNotMatch(stderr, /Warning|No change/)
      const diff = await run(`deploy ${NEW} -n shop -f diff`)
      assert.match(diff.stderr, /^Changes of deployments\.apps are not recorded$/m)
      // What was recorded before is still told.
      const kept = await run('deploy web -n shop')
      assert.match(kept.stdout, /dev-1@example\.org/)
      assert.match(kept.stderr, /^Changes of deployments\.apps are not recorded$/m)
    })

    it('warns of ended gaps only where it does not show them', async () => {
      api.companion.changes.warnings = ['changes were not recorded from A to B: companion restarted']
      for (const line of ['', '-f patch', '-f diff', '-f yaml', '-o json', '-o wide'])
        assert.doesNotMatch((await run(`deploy web -n shop ${line}`)).stderr, /Warning/, line)
      assert.match(
        (await run('deploy web -n shop -o name')).stderr,
        /^Warning: changes were not recorded from A to B: companion restarted$/m,
      )
    })

    it('says once since when is recorded, where nothing happened too', async () => {
      api.companion.changes.warnings = ['changes are recorded since 2026-11-12T08:00:00Z']
      const { stdout, stderr } = await run('-n shop --user nobody-at-all')
      assert.match(stdout, /^Last 24h in shop: no matching change; recording since .+$/m)
      assert.equal(stderr, '')
    })

    it('says of a selector that chooses no object that there is none', async () => {
      const { stdout, stderr, exitCode } = await run('deploy -n shop -l app=nothing-like-it')
      assert.deepEqual([stdout, stderr, exitCode], ['', 'No resources found in shop namespace.\n', 0])
    })

    it('tells who asks for a deleted object as it is today that it was deleted', async () => {
      const { stderr, exitCode } = await run('deploy old -n shop -f yaml')
      assert.equal(exitCode, 3)
      assert.match(
        stderr,
        /^deployment\/old was deleted; by whom, and what it was: kubectl blame deployment old -n shop -f diff$/m,
      )
      assert.doesNotMatch((await run('deploy never -n shop -f yaml')).stderr, /was deleted/)
    })

    it('says of which namespace its answer is once there is one', async () => {
      api.faults.always(({ path }) => /\/(?:cluster)?changes$/.test(path), {
        kind: 'status',
        status: 403,
        reason: 'Forbidden',
      })
      const { stderr, exitCode } = await run('')
      assert.equal(exitCode, 3)
      assert.doesNotMatch(stderr, /these are of namespace/)
    })

    it('never lets text from the cluster reach the terminal raw', async () => {
      const evil = '\u001b[31mroot\u0007\u202e'
      api.companion.changes.record(
        change(1, {
          user: { username: evil, groups: [evil], extra: { [evil]: [evil] } },
          via: { manager: evil, tool: evil, source: evil, revision: evil, initiatedBy: '', manual: true },
          reason: evil,
          changes: [
            {
              path: `metadata.labels[${JSON.stringify(evil)}]`,
              op: 'replace',
              from: evil,
              to: `${evil}\n${evil}`,
            },
          ],
        }),
      )
      // Headers are bytes, and no control character of ASCII can be in them.
      api.companion.changes.warnings = [Buffer.from('\u202e\u009b31m').toString('latin1')]
      api.companion.changes.gaps = [{ from: new Date(0).toISOString(), reason: evil }]
      for (const line of [
        'deploy web -n shop',
        'deploy web -n shop -o wide',
        'deploy web -n shop -f patch',
        'deploy web -n shop -f diff',
        'deploy web -n shop -o json',
        'deploy web -n shop -o yaml',
        'deploy web -n shop -o custom-columns=A:.user.username',
        '-n shop --since 9d',
        'deploy web -n shop -f yaml',
        'undo w1-8 -n shop',
      ]) {
        const { stdout, stderr, exitCode } = await run(line)
        assert.equal(exitCode, line.startsWith('undo') ? 1 : 0, stderr)
        // oxlint-disable-next-line no-control-regex -- what must not be there
        assert.doesNotMatch(stdout + stderr, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/u, line)
      }
    })

    it('ends quietly when its reader has enough', async () => {
      for (let i = 0; i < 3000; i++) api.companion.changes.record(scale(i))
      const script = '$CLI deploy web -n shop --max-history 0 -f patch | head -1; echo done'
      const { stdout, stderr } = await cli().runShell(script, await options())
      assert.match(stdout, /^\+-+.*\ndone\n$/)
      assert.equal(stderr, '')
    })

    describe('--watch', () => {
      let running: RunningCli
      const watch = async (...args: string[]): Promise<void> => {
        running = await cli().start(['-n', 'shop', '-w', ...args], await options())
        await running.waitFor('stderr', 'following')
      }
      const ended = async (): Promise<CliResult> => {
        const result = await running.kill('SIGINT')
        assert.equal(result.exitCode, 130)
        return result
      }

      it('goes on after the list with what comes, until Ctrl-C', async () => {
        await watch('deploy', 'web')
        api.companion.changes.record(change(0, { object: { name: 'cart' } }))
        api.companion.changes.record(scale(7))
        await running.waitFor('stdout', '→ 7')
        const { stdout, stderr } = await ended()
        const added = stdout.trimEnd().split('\n').at(-1) ?? ''
        assert.match(added, /^\d\d:\d\d:\d\d +dev-1@example\.org +kubectl-edit +scaled 6 → 7$/)
        assert.doesNotMatch(stdout, /cart/)
        assert.match(stderr, /following deployment\/web in shop\n$/)
      })

      it('prints JSON lines with -o json, and only what is meant', async () => {
        await watch('deploy', '-o', 'json', '--user', 'dev-1@example.org', '--since', '1h')
        api.companion.changes.record({ ...scale(8), user: { username: 'x', groups: [], extra: {} } })
        const name = api.companion.changes.record(scale(9))
        await running.waitFor('stdout', '\n')
        const { stdout } = await ended()
        const told = stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Change)
        assert.deepEqual(
          told.map(({ metadata }) => metadata?.name),
          [name],
        )
      })

      it('follows the whole cluster without a TYPE', async () => {
        running = await cli().start(['-w', '--since', '1h'], await options())
        await running.waitFor('stderr', 'following the cluster')
        api.companion.changes.record(scale(7))
        await running.waitFor('stdout', '→ 7')
        await ended()
      })

      it('says that nobody was recording before what was found of that time', async () => {
        await watch('deploy', 'web')
        const moment = (ms: number): string => new Date(Date.now() + ms).toISOString()
        const gap = { from: moment(-60_000), to: moment(60_000), reason: 'companion restarted' }
        api.companion.changes.gaps = [gap]
        api.companion.changes.record({ ...scale(7), state: 'unattributed', time: moment(1000) })
        await running.waitFor('stdout', '→ 7')
        const { stderr } = await ended()
        assert.match(stderr, /\nnot recording .*\(companion restarted\)\n/)
      })

      it('tells what came while the connection was lost', async () => {
        await watch('deploy', 'web')
        const refused = api.faults.always(isWatch, {
          kind: 'status',
          status: 503,
          reason: 'ServiceUnavailable',
        })
        api.companion.changes.endWatches()
        await running.waitFor('stderr', 'trying again')
        api.companion.changes.record(scale(7))
        refused()
        await running.waitFor('stdout', '→ 7')
        const { stderr } = await ended()
        assert.match(stderr, /the watch was lost \(.*\); trying again\n/)
      })
    })

    describe('undo --apply', () => {
      const web = () => {
        const found = api.list('Deployment', 'shop').find(({ metadata }) => metadata.name === 'web')
        if (!found) throw new Error('deployment web is there')
        return found
      }
      const specOfWeb = () => web()['spec'] as { readonly replicas: number }

      it('lets the API server try it, shows that, writes it and says so', async () => {
        const { stdout, stderr, exitCode } = await run('undo w1-3 -n shop --apply --yes')
        assert.equal(exitCode, 0, stderr)
        assert.match(stdout, /-  replicas: 6\n\+  replicas: 3\n/)
        assert.match(stdout, /\ndeployment\.apps\/web patched: w1-3 is taken back\n$/)
        const written = api.requests.slice(seen).filter(({ method }) => method === 'PATCH')
        assert.deepEqual(
          written.map(({ query }) => query.get('dryRun')),
          ['All', null],
        )
        assert.equal(specOfWeb().replicas, 3)
        assert.match((await run('undo w1-3 -n shop')).stderr, /Nothing is to be done/)
      })

      it('creates a deleted object again, and deletes a created one', async () => {
        assert.equal((await run('undo w1-4 -n shop --apply --yes')).exitCode, 0)
        const old = api.list('Deployment', 'shop').find(({ metadata }) => metadata.name === 'old')
        assert.ok(old)
        const name = api.companion.changes.record(
          change(0, {
            operation: 'CREATE',
            object: { name: 'old', uid: old.metadata.uid ?? '' },
            changes: [{ path: '', op: 'add', to: old }],
          }),
        )
        const { stdout, stderr } = await run(`undo ${name} -n shop --apply --yes`)
        assert.match(stdout, /deployment\.apps\/old deleted/, stderr)
        assert.ok(!api.list('Deployment', 'shop').some(({ metadata }) => metadata.name === 'old'))
      })

      it('writes nothing where somebody changed it again, unless the rest is asked for', async () => {
        api.put({ ...web(), spec: { ...specOfWeb(), replicas: 9 } })
        const refused = await run('undo w1-3 -n shop --apply --yes')
        assert.equal(refused.exitCode, 1)
        assert.match(
          refused.stderr,
          /conflict: spec\.replicas: was changed again since\n.*\[UNDO_CONFLICT\]\n.*--force/,
        )
        assert.ok(!api.requests.some(({ method }) => method === 'PATCH'))
        const forced = await run('undo w1-3 -n shop --apply --yes --force')
        assert.equal(forced.exitCode, 0, forced.stderr)
        assert.equal(specOfWeb().replicas, 9)
        assert.match(JSON.stringify(specOfWeb()), /nginx:1\.24/)
      })

      it('asks on a terminal after the dry run, and writes nothing without a yes', async function () {
        const reason = await whyNoTerminal()
        if (reason !== undefined) skip(this, reason)
        const wet = () =>
          api.requests.filter(({ method, query }) => method === 'PATCH' && !query.has('dryRun')).length
        for (const [key, exitCode, writes] of [
          ['n', 1, 0],
          ['y', 0, 1],
        ] as const) {
          const args = ['undo', 'w1-3', '-n', 'shop', '--apply', '--color=never']
          const running = await cli().startInTerminal(args, await options())
          await running.waitFor('stdout', 'Write it? [y/N]')
          assert.equal(wet(), 0)
          assert.match(running.stdout, /\+ {2}replicas: 3/)
          running.type(`${key}\n`)
          assert.equal((await running.ended).exitCode, exitCode)
          assert.equal(wet(), writes)
        }
      })

      it('writes nothing where the API server refuses the dry run', async () => {
        api.faults.always(({ method }) => method === 'PATCH', {
          kind: 'status',
          status: 403,
          reason: 'Forbidden',
          message: 'no',
        })
        const { stdout, exitCode } = await run('undo w1-3 -n shop --apply --yes')
        assert.deepEqual([stdout, exitCode], ['', 3])
      })
    })

    describe('-i', () => {
      it('needs no cluster, for a file as for stdin', async () => {
        const env = { KUBECONFIG: '/nowhere', TZ: 'UTC' }
        const [web, cart] = blameObjects()
        const file = join(cli().folder, 'web.json')
        await writeFile(file, JSON.stringify({ ...web, apiVersion: 'apps/v1' }))
        const asked = api.requests.length
        const list = await cli().run(['-i', file], { program, env })
        assert.match(
          list.stdout,
          /^deployment\/web in shop: last writes by field manager[^]*kubectl-client-side-apply/,
        )
        assert.equal(list.exitCode, 0)
        const both = join(cli().folder, 'both.yaml')
        const documents = [web, cart].map((object) => JSON.stringify({ ...object, apiVersion: 'apps/v1' }))
        await writeFile(both, documents.join('\n---\n'))
        const yaml = await cli().runShell(`cat ${both} | $CLI -i - -f yaml`, { program, env })
        assert.match(yaml.stdout, /\(kubectl \/scale\)[^]*\n---\n[^]*name: cart/)
        assert.equal(yaml.exitCode, 0, yaml.stderr)
        assert.equal(api.requests.length, asked)
      })

      it('says what is not there', async () => {
        const file = join(cli().folder, 'bare.yaml')
        await writeFile(file, 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n')
        const { stderr, exitCode } = await cli().run(['-i', file], { program })
        assert.equal(exitCode, 0)
        assert.match(stderr, /has no managedFields, .*--show-managed-fields/)
        const empty = await cli().runShell(': | $CLI -i -', { program })
        assert.equal(empty.exitCode, 2)
        assert.match(empty.stderr, /reads stdin, which is empty/)
      })
    })

    describe('completion', () => {
      const complete = async (...typed: string[]): Promise<string[]> => {
        const { stdout, stderr } = await cli().run(typed, {
          ...(await options()),
          program: 'kubectl_complete-blame',
        })
        assert.equal(stderr, '')
        return stdout
          .trimEnd()
          .split('\n')
          .map((line) => line.split('\t')[0] ?? '')
      }

      it('knows commands, types, names, changes and formats', async () => {
        assert.deepEqual(await complete('u'), ['undo', ':4'])
        assert.deepEqual(await complete('deplo'), ['deployments', ':4'])
        assert.deepEqual(await complete('wid'), ['widgets', 'widgets.toys.example.com', ':4'])
        assert.deepEqual(await complete('-n', 'shop', 'deploy', ''), ['cart', 'web', ':4'])
        assert.deepEqual(await complete('-n', 'shop', 'deploy/w'), ['deploy/web', ':4'])
        assert.deepEqual(await complete('-n', 'shop', 'wi', ''), ['bolt', ':4'])
        assert.deepEqual(await complete('clusterrole', ''), ['reader', ':4'])
        assert.deepEqual(await complete('deploy', 'web', '-f', ''), [
          'list',
          'patch',
          'diff',
          'yaml',
          'json',
          ':4',
        ])
        assert.deepEqual(await complete('-o', 'w'), ['wide', ':4'])
        assert.ok((await complete('-n', 'shop', 'undo', 'w1-')).includes('w1-3'))
        assert.deepEqual(await complete('-i', ''), [':0'])
        assert.deepEqual(await complete('nonsense', ''), [':4'])
      })
    })
  })
})
