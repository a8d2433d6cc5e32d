import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { GoldenSession } from '../kit/golden.ts'
import type { CliResult } from '../kit/run-cli.ts'
import { blameObjects, recordChanges } from './blame-cluster.ts'
import { words } from './command-line.ts'
import { plainly } from './plainly.ts'

const program = 'kubectl-blame'

const WITH_COMPANION = [
  'deployment web -n shop',
  'deploy/web -n shop --max-history 1',
  'deploy web -n shop --max-history 0 --reverse',
  'deploy web -n shop -o wide',
  'deploy web -n shop --time none --no-headers',
  'deploy -n shop',
  'deployments.apps -A',
  'deploy web old -n shop --max-history 2',
  'deploy,cm -n shop',
  'deploy/web cm/settings -n shop --no-headers',
  'deploy -n shop -l app=web',
  'deploy cart -n shop',
  'deploy old -n shop',
  'clusterrole reader',
  'widgets -n shop',
  'wi -n empty',
  'deploy web -n shop --state not-landed',
  'deploy web -n shop --user dev-1@example.org --field containers[app].image',
  'deploy web -n shop --user nobody',
  'deploy web -n shop --group shop-dev --manual',
  'deploy web -n shop --since 22d',
  'deploy web -n shop --until 22d',
  'deploy web -n shop -f patch --max-history 2',
  'deploy web -n shop -f diff',
  'deploy web -n shop -f diff --field containers[app].image',
  'deploy old -n shop -f diff',
  'deploy web -n shop -f yaml',
  'deploy web -n shop -f yaml --above',
  'deploy web -n shop -f yaml --comments --time none',
  'deploy web -n shop -f yaml --include status',
  'deploy web -n shop -o name',
  "deploy web -n shop -o 'jsonpath={.items[*].user.username}'",
  'deploy web -n shop -o custom-columns=WHO:.user.username,STATE:.state,OP:.operation',
  '--since 30d -n shop',
  '--since 31d -A -o wide',
  'undo w1-3 -n shop',
  'undo w1-3 -n shop -o json',
  'undo w1-4 -n shop -o yaml',
  'undo w1-5 -n shop',
  'undo w1-1 -n shop',
  'undo w1-7',
  'undo w9-9 -n shop',
]

const WITHOUT = [
  'deploy web -n shop',
  'deploy web -n shop --companion=never',
  'deploy -n shop --companion=never',
  'deploy web -n shop -f patch --companion=never',
  'deploy web -n shop -f yaml --companion=never',
  'deploy web -n shop -f yaml --time full --companion=never',
  'cm settings -n shop -f yaml --companion=never',
  'deploy -n empty --companion=never',
  'deploy gone -n shop --companion=never',
  // Named as a flag's value is.
  'deploy shop web -n shop --companion=never',
  'deploy never nor -n shop --companion=never',
  'deploy gone web -n shop --companion=never -f yaml',
  'deploy web -n shop -f diff',
  'deploy web -n shop --companion=require',
  '-n shop',
  '-w deploy',
  'undo w1-3',
]

const WRONG_USAGE = [
  'widgts',
  'deploiment web',
  'deploy web/app',
  'deploy/web api',
  'deploy/',
  'deploy web -A',
  'deploy web -f flowchart',
  'deploy web -o xml',
  'deploy web -o custom-columns',
  'deploy web -f patch -o json',
  'deploy web -f diff -o wide',
  'deploy -f yaml',
  'deploy web -f yaml --user x',
  'deploy web --above',
  'deploy web -f yaml --above --comments',
  'deploy web --include events',
  'deploy web --operation explode',
  'deploy web --state happy',
  'deploy web --since yesterday',
  'deploy web --since 2099-01-01',
  'deploy web --since 1h --until 2h',
  'deploy web --max-history -1',
  'deploy web --max-history many',
  "deploy web --field 'containers['",
  'deploy web -w --reverse',
  'deploy web -w -f yaml',
  'deploy web -w --companion=never',
  'deploy web api -w',
  'deploy -w -l app=web',
  '-l app=web',
  '-i x.yaml deploy',
  '-i x.yaml -f diff',
  '-i gone.yaml',
  '--companion=never',
  '--companion=maybe',
  '--bogus',
  'undo',
  'undo a b',
  'undo a --yes',
  'undo a --apply -o json',
  'undo a --apply',
]

const DATES = /\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: \d{4})?(?: \d\d:\d\d)?/g

/** Without what changes from day to day; what stands in columns keeps its width. */
function undated(text: string): string {
  return text
    .replaceAll(DATES, 'DATE')
    .replaceAll(/ +\|$/gm, ' |')
    .replaceAll(/(?<!\d)20(?!99)\d\d-\d\d-\d\d(?!\d)/g, 'YYYY-MM-DD')
    .replaceAll(/(?<!\d)\d\d:\d\d:\d\d(?:\.\d{3})?Z/g, 'HH:MM:SSZ')
}

describe('kubectl blame', () => {
  const golden = new GoldenSession(fileURLToPath(new URL('golden/blame.txt', import.meta.url)))
  let api: FakeApi
  let bare: FakeApi
  before(async () => {
    api = await startFakeApi({ objects: blameObjects(), companion: true })
    recordChanges(api)
    bare = await startFakeApi({ objects: blameObjects() })
  })
  after(async () => {
    await golden.save()
    await Promise.all([api.stop(), bare.stop()])
  })

  describeForms('by', (cli) => {
    const tell = (result: CliResult, of: FakeApi): CliResult => {
      const plain = plainly(result, of, cli())
      return { ...plain, stdout: undated(plain.stdout), stderr: undated(plain.stderr) }
    }
    const run = async (line: string, of: FakeApi): Promise<CliResult> => {
      const path = await of.writeKubeconfig(cli().folder)
      return tell(await cli().run(words(line), { program, env: { KUBECONFIG: path, TZ: 'UTC' } }), of)
    }

    describe('with a companion', () => {
      before(async () => {
        await rm(join(cli().folder, 'cache'), { recursive: true, force: true })
        // However long it takes to find out that it is there: a plain run waits for 300 ms only.
        await run('deploy web -n shop --companion=require', api)
      })
      for (const line of WITH_COMPANION) {
        it(line, async () => golden.check(`kubectl blame ${line}`, await run(line, api)))
      }
    })

    describe('without a companion', () => {
      before(async () => {
        await rm(join(cli().folder, 'cache'), { recursive: true, force: true })
        await run('deploy web -n shop --companion=require', bare)
      })
      for (const line of WITHOUT) {
        it(line, async () => golden.check(`kubectl blame ${line}   # no companion`, await run(line, bare)))
      }
    })

    describe('used wrongly', () => {
      for (const line of WRONG_USAGE) {
        it(line, async () => {
          const result = await run(line, bare)
          assert.equal(result.exitCode, 2, result.stderr)
          assert.equal(result.stdout, '')
          await golden.check(`kubectl blame ${line}   # wrong usage`, result)
        })
      }
    })

    it('fits 100 columns', async () => {
      for (const line of [
        '--help',
        'undo --help',
        ...WITH_COMPANION.filter((text) => !/ -[of] |undo/.test(text)),
      ]) {
        const { stdout } = await run(line, api)
        assert.deepEqual(
          stdout.split('\n').filter((text) => text.length > 100),
          [],
          line,
        )
      }
    })
  })
})
