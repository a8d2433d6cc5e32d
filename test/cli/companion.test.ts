import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import type { CliResult } from '../kit/run-cli.ts'
import { words } from './command-line.ts'
import { shopCluster } from './shop-cluster.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'
const IMAGES = `${ROOT}/clusterimages`
const PODS = '/api/v1/pods'

/** What the companion answers exactly as pods do. */
const ANSWERED = [
  '-A',
  '-n shop',
  '-n nowhere',
  '-A --no-headers',
  '-A --by image',
  '-A --sort-by size --reverse',
  '-A --sort-by pods',
  '-A --sort-by usedBy',
  '-A --reverse',
  '-A -o csv',
  '-A -o name',
  '-n shop -o name',
  "-A -o 'jsonpath={.items[*].image.reference}'",
  '-A -o custom-columns=IMAGE:.image.reference,PODS:.usage.pods,SIZE:.sizeBytes,ALSO:.alsoSpelled',
  '-A --sort-by {.sizeBytes} -o csv',
  "-A --match image --no-headers 'redis|web'",
  "-A --match image -o name 'redis|web'",
  '-A --match image -o csv zzz',
]

/** What only pods tell, or tell exactly. */
const FROM_PODS = [
  '-A --by pod',
  '-A --by node',
  '-A -c 1,3',
  '-A -u',
  '-A -o wide',
  '-A -l app=web',
  '-A --field-selector spec.nodeName=node-1',
  '-A --running-only',
  '-A redis',
  '-A --match image redis',
  '-A --match image -o name ^nginx',
]

describe('kubectl images with a companion', () => {
  let api: FakeApi
  let seen: number

  const paths = (): string[] => api.requests.slice(seen).map(({ path }) => path)

  beforeEach(async () => {
    api = await startFakeApi({ objects: shopCluster(), companion: true })
    seen = 0
  })
  afterEach(() => api.stop())

  describeForms('by', (cli) => {
    const run = async (line: string, env: Readonly<Record<string, string>> = {}): Promise<CliResult> => {
      seen = api.requests.length
      return cli().run(words(line), {
        env: { KUBECONFIG: await api.writeKubeconfig(cli().folder), ...env },
      })
    }
    /** What is remembered of companions between runs. */
    const forget = (): Promise<void> => rm(join(cli().folder, 'cache'), { recursive: true, force: true })
    /** Lets it find out what there is, however long that takes: a plain run waits for 300 ms only. */
    const findOut = (): Promise<CliResult> => run('-A -o name --companion=require')
    beforeEach(forget)

    for (const line of ANSWERED) {
      it(`asks it alone, and prints byte for byte what pods tell: ${line}`, async () => {
        await findOut()
        const asked = await run(line)
        assert.deepEqual(
          paths().filter((path) => !path.startsWith(ROOT)),
          [],
        )
        const direct = await run(`${line} --companion=never`)
        assert.deepEqual(
          paths().filter((path) => path.startsWith(ROOT)),
          [],
        )
        // Which of its reasons an unknown size has, the companion does not tell.
        const plain = ({ stderr }: CliResult): string => stderr.replace(/^\? = .*\n/m, '? = …\n')
        assert.equal(plain(asked), plain(direct))
        assert.equal(asked.stdout, direct.stdout)
        assert.equal(asked.exitCode, 0)
      })
    }

    for (const line of FROM_PODS) {
      it(`asks for pods, as without it: ${line}`, async () => {
        const asked = await run(line)
        assert.ok(paths().includes(PODS))
        assert.deepEqual(await run(`${line} --companion=never`), asked)
      })
    }

    for (const format of ['json', 'yaml']) {
      it(`prints its objects as ${format}, which have more than those made here`, async () => {
        const [asked, direct] = [
          await run(`-n shop -o ${format}`),
          await run(`-n shop -o ${format} --companion=never`),
        ]
        assert.equal(asked.exitCode, 0)
        const added = /lastChange|resourceVersion|creationTimestamp|uid/
        assert.match(asked.stdout, added)
        assert.doesNotMatch(direct.stdout, added)
      })
    }

    it('has in its objects all that those made here have', async () => {
      type List = { items: { metadata: Record<string, string>; lastChange?: unknown }[] } & Record<
        string,
        unknown
      >
      const { items, metadata: _, ...list } = JSON.parse((await run('-A -o json')).stdout) as List
      const bare = items.map(({ lastChange: __, metadata: { name }, ...image }) => ({
        ...image,
        metadata: { name },
      }))
      assert.deepEqual(
        { ...list, items: bare },
        JSON.parse((await run('-A -o json --companion=never')).stdout),
      )
    })

    describe('remembers', () => {
      it('for a while that it is there', async () => {
        await findOut()
        assert.deepEqual(paths(), [ROOT, IMAGES])
        await run('-A')
        assert.deepEqual(paths(), [IMAGES])
      })

      it('for a while that there is none, and says nothing of it', async () => {
        api.uninstallCompanion()
        await run('-A')
        assert.ok(paths().includes(ROOT))
        await findOut()
        const { stderr } = await run('-A')
        assert.deepEqual(paths().toSorted(), ['/api/v1/nodes', PODS])
        assert.match(stderr, /^14 images, /)
      })

      it('nothing where the cache cannot be written, which is no trouble', async () => {
        const env = { XDG_CACHE_HOME: '/dev/null/cache' }
        for (const _ of [1, 2]) {
          const { exitCode, stderr } = await run('-A --companion=require', env)
          assert.deepEqual(paths(), [ROOT, IMAGES])
          assert.match(stderr, /^14 images, /)
          assert.equal(exitCode, 0)
        }
      })
    })

    describe('asks for pods and says why in one line', () => {
      const troubles: [what: string, spoil: () => void, line: RegExp][] = [
        [
          'where it fails on the question',
          () => void api.faults.always(IMAGES, { kind: 'status', status: 500, reason: 'InternalError' }),
          /^cannot list clusterimages\.deckwatch\.dev in all namespaces: .*answered 500: .*; asking /,
        ],
        [
          'where the user may not, naming the right',
          () =>
            void api.faults.always(IMAGES, {
              kind: 'status',
              status: 403,
              reason: 'Forbidden',
              message:
                'clusterimages.deckwatch.dev is forbidden: User "jane" cannot list resource "clusterimages" in API group "deckwatch.dev" at the cluster scope',
            }),
          /^user "jane" may not list clusterimages\.deckwatch\.dev in all namespaces; asking /,
        ],
        [
          'where it says that what it has may be old',
          () => (api.companion.warnings = ['no space is left: nothing is recorded since 02:00']),
          /^the companion says: no space is left: nothing is recorded since 02:00; asking /,
        ],
        [
          'where it takes the question and does not answer',
          () => void api.faults.always(IMAGES, { kind: 'stall' }),
          /^the companion did not answer within 5 s; asking /,
        ],
        [
          'where its answer is no list',
          () =>
            void api.faults.always(IMAGES, {
              kind: 'answer',
              status: 200,
              contentType: 'application/json',
              body: '{}',
            }),
          /^cannot list clusterimages\.deckwatch\.dev in all namespaces: the answer is no list; asking /,
        ],
      ]
      for (const [what, spoil, line] of troubles) {
        it(what, async () => {
          const direct = await run('-A --companion=never')
          await findOut()
          spoil()
          const { stdout, stderr, exitCode } = await run('-A')
          assert.equal(stdout, direct.stdout)
          assert.equal(exitCode, 0)
          const [note = '', ...rest] = stderr.split('\n')
          assert.match(note, line)
          assert.equal(rest.join('\n'), direct.stderr)
        })
      }
    })

    it('says that it is down as long as it remembers that', async () => {
      api.faults.always(/^\/apis\/deckwatch/, { kind: 'status', status: 503, reason: 'ServiceUnavailable' })
      assert.equal((await findOut()).exitCode, 3)
      const { stderr, exitCode } = await run('-A')
      assert.equal(exitCode, 0)
      assert.match(
        stderr,
        /^the companion does not answer: cannot get deckwatch\.dev\/v1alpha1: .*answered 503: .*; asking the API server for pods instead\n14 images/,
      )
      assert.deepEqual(paths().toSorted(), ['/api/v1/nodes', PODS])
    })

    it('asks for pods silently where it was uninstalled since it was remembered', async () => {
      await findOut()
      api.uninstallCompanion()
      const asked = await run('-A')
      // What was remembered is asked for again, not believed.
      assert.deepEqual(paths().toSorted(), ['/api/v1/nodes', PODS, ROOT, IMAGES])
      assert.deepEqual(asked, await run('-A --companion=never'))
      await run('-A')
      assert.deepEqual(paths().toSorted(), ['/api/v1/nodes', PODS])
    })

    it('asks for pods silently where the right to ask it went with it', async () => {
      await findOut()
      api.uninstallCompanion()
      api.faults.always(IMAGES, { kind: 'status', status: 403, reason: 'Forbidden' })
      assert.deepEqual(await run('-A'), await run('-A --companion=never'))
      const { stderr } = await run('history nginx -A')
      assert.match(stderr, /\[COMPANION_ABSENT\]/)
    })

    it('does not wait for one that stalls', async () => {
      api.faults.always(ROOT, { kind: 'stall' })
      const { exitCode, stderr } = await run('-A')
      assert.equal(exitCode, 0)
      assert.match(stderr, /^14 images, /)
    })

    describe('where it is required', () => {
      it('is told that there is none, and how to get it', async () => {
        api.uninstallCompanion()
        const { stdout, stderr, exitCode } = await run('-A --companion=require')
        assert.equal(exitCode, 3)
        assert.equal(stdout, '')
        assert.match(
          stderr,
          /^error: the cluster at .* has no companion.* \[COMPANION_ABSENT\]\n.*kubectl deckwatch install\n$/,
        )
      })

      it('fails with what fails', async () => {
        api.faults.always(IMAGES, { kind: 'status', status: 403, reason: 'Forbidden' })
        const { stderr, exitCode } = await run('-A --companion=require')
        assert.equal(exitCode, 3)
        assert.match(stderr, /\[KUBE_FORBIDDEN\]/)
      })

      it('refuses what only pods tell', async () => {
        const { stderr, exitCode } = await run('-A --companion=require --by pod')
        assert.equal(exitCode, 2)
        assert.match(
          stderr,
          /^error: --companion=require cannot be combined with --by pod: only pods tell that \[USAGE\]\n/,
        )
        assert.deepEqual(paths(), [])
      })

      it('passes its warnings on as kubectl does', async () => {
        api.companion.warnings = ['say "no"', 'and no again']
        const { stderr, exitCode } = await run('-A --companion=require')
        assert.equal(exitCode, 0)
        assert.match(stderr, /^Warning: say "no"\nWarning: and no again\n14 images, /)
      })
    })

    describe('history IMAGE', () => {
      const pod = { namespace: 'shop', name: 'web-old', uid: 'uid-old' }
      const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()
      beforeEach(() => {
        api.companion.record({ op: '+', image: 'ghcr.io/acme/web:v1', pod, time: ago(300), late: true })
        api.companion.record({ op: '-', image: 'ghcr.io/acme/web:v1', pod, time: ago(60), late: false })
        api.companion.historyBegins = Date.UTC(2026, 10, 14)
      })

      it('tells when it came and went and with which pod, newest first', async () => {
        const { stdout, stderr, exitCode } = await run('history ghcr.io/acme/web:v1 -n shop')
        assert.equal(exitCode, 0)
        assert.equal(stdout, 'AGE  OP  POD\n60m  -   web-old\n~5h  +   web-old\n')
        assert.equal(
          stderr,
          '2 changes of ghcr.io/acme/web:v1, newest first; not in use here now.\n~ = seen only after a time in which nobody was watching\nhistory begins at 2026-11-14T00:00:00Z\n',
        )
      })

      it('means all tags without one, and the whole cluster with -A', async () => {
        const { stdout, stderr } = await run('history ghcr.io/acme/web -A --since 5m')
        assert.match(stdout, /^AGE +OP +IMAGE +NAMESPACE +POD\n/)
        assert.deepEqual(
          stdout
            .split('\n')
            .slice(1, -1)
            .map((row) => row.split(/ +/).slice(1).join(' ')),
          [
            '+ ghcr.io/acme/web:v2.2.0 staging web-preview',
            '+ ghcr.io/acme/web:v2.1.4 shop web-7d9c5b-2kxqp',
          ],
        )
        assert.equal(stderr, '2 changes of ghcr.io/acme/web, newest first; in use now.\n')
      })

      it('is objects for programs', async () => {
        const { stdout } = await run('history ghcr.io/acme/web:v1 -n shop -o json --limit 1')
        const list = JSON.parse(stdout) as {
          kind: string
          items: { op: string; kind: string; time: string }[]
        }
        assert.equal(list.kind, 'ImageEventList')
        assert.deepEqual(
          list.items.map(({ kind, op }) => `${kind} ${op}`),
          ['ImageEvent -'],
        )
        const names = await run('history ghcr.io/acme/web:v1 -A -o name')
        assert.match(names.stdout, /^(clusterimageevent\.deckwatch\.dev\/\d+\n){2}$/)
        const csv = await run('history ghcr.io/acme/web:v1 -n shop -o csv')
        assert.match(
          csv.stdout,
          /^time,op,image,namespace,pod,uid,late\n[^\n]*,-,ghcr\.io\/acme\/web:v1,shop,web-old,uid-old,false\n[^\n]*true\n$/,
        )
      })

      it('has a good word where nothing is recorded', async () => {
        const { stdout, stderr, exitCode } = await run('history acme/ngin -n shop')
        assert.equal(exitCode, 0)
        assert.equal(stdout, '')
        assert.match(
          stderr,
          /^No change of docker\.io\/acme\/ngin is recorded here\.\nIt is not in use either; in use are docker\.io\/library\/nginx\n/,
        )
      })

      it('needs the companion, and the right', async () => {
        api.faults.next(`${ROOT}/clusterimageevents`, {
          kind: 'status',
          status: 403,
          reason: 'Forbidden',
          message:
            'User "jane" cannot list resource "clusterimageevents" in API group "deckwatch.dev" at the cluster scope',
        })
        const refused = await run('history nginx -A')
        assert.equal(refused.exitCode, 3)
        assert.match(
          refused.stderr,
          /^error: user "jane" may not list clusterimageevents\.deckwatch\.dev in all namespaces \[KUBE_FORBIDDEN\]\n.*kubectl images history nginx -n NAMESPACE\n$/,
        )
        api.uninstallCompanion()
        const { stderr, exitCode } = await run('history nginx')
        assert.equal(exitCode, 3)
        assert.match(stderr, /\[COMPANION_ABSENT\]\n.*kubectl deckwatch install\n$/)
      })

      it('completes IMAGE by what is in use in the namespace that is meant', async () => {
        const env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
        const complete = async (line: string): Promise<string> =>
          (await cli().run(words(line), { env, program: 'kubectl_complete-images' })).stdout
        assert.equal(await complete('history -n shop redis'), 'redis:7\n:4\n')
        assert.equal(
          await complete('history -A ghcr.io/acme/web'),
          'ghcr.io/acme/web:v2.1.4\nghcr.io/acme/web:v2.2.0\n:4\n',
        )
        assert.equal(await complete('history -n shop redis:7 red'), ':4\n')
      })

      it('needs IMAGE; after -- it is a REGEX like any other', async () => {
        const { stderr, exitCode } = await run('history')
        assert.equal(exitCode, 2)
        assert.match(stderr, /^error: IMAGE is missing.* \[USAGE\]\nAs in: kubectl images history /)
        assert.match((await run('-A -- history')).stderr, /^Nothing matches among /)
      })
    })
  })
})
