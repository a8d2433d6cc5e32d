import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import type { CliResult } from '../kit/run-cli.ts'
import { shopCluster } from './shop-cluster.ts'

// What cobra does with candidates: no file names; none and no blank behind; file names.
const NO_FILES = ':4'
const NO_BLANK = ':6'
const FILES = ':0'

const NAMESPACES = ['default', 'kube-system', 'shop', 'staging']

/** The words so far, the last one unfinished, and the candidates with cobra's directive. */
const COMPLETIONS: readonly (readonly [
  typed: readonly string[],
  candidates: readonly string[],
  directive: string,
])[] = [
  [['--by', ''], ['image', 'container', 'pod', 'workload', 'node', 'registry', 'namespace'], NO_FILES],
  [['--by', 'n'], ['node', 'namespace'], NO_FILES],
  [['--by=n'], ['--by=node', '--by=namespace'], NO_FILES],
  [['--by=zzz'], [], NO_FILES],
  [['-A', 'redis', '--by', 'po'], ['pod'], NO_FILES],
  [['-o', 'j'], ['json', 'jsonpath='], NO_FILES],
  [['-o', 'jsonp'], ['jsonpath='], NO_BLANK],
  [['--output=cu'], ['--output=custom-columns='], NO_BLANK],
  [['--companion', ''], ['auto', 'require', 'never'], NO_FILES],
  [['--color', 'a'], ['auto', 'always'], NO_FILES],
  [['--match', ''], ['pod', 'image'], NO_FILES],
  [['--context', ''], ['fake', 'other'], NO_FILES],
  [['-C', 'o'], ['other'], NO_FILES],
  [['--context=f'], ['--context=fake'], NO_FILES],
  [['-n', ''], NAMESPACES, NO_FILES],
  [['-n', 's'], ['shop', 'staging'], NO_FILES],
  [['--namespace=s'], ['--namespace=shop', '--namespace=staging'], NO_FILES],
  [['-l', ''], [], NO_FILES],
  [['--sort-by', ''], [], NO_FILES],
  [['--kubeconfig', ''], [], FILES],
  [['-k', 'x'], [], FILES],
  [['--certificate-authority', ''], [], FILES],
  [[''], ['check', 'history'], NO_FILES],
  [['-n', 'shop', 'h'], ['history'], NO_FILES],
  [['history', '--lim'], ['--limit'], NO_FILES],
  [['history', '--limit', ''], [], NO_FILES],
  [['history', '-n', 's'], ['shop', 'staging'], NO_FILES],
  // Without a companion nobody tells of images.
  [['history', ''], [], NO_FILES],
  [['redis', ''], [], NO_FILES],
  [['--zzz'], [], NO_FILES],
]

function answerIn({ stdout, stderr, exitCode }: CliResult): { candidates: string[]; directive: string } {
  assert.deepEqual({ stderr, exitCode }, { stderr: '', exitCode: 0 })
  const lines = stdout.trimEnd().split('\n')
  return { candidates: lines.slice(0, -1), directive: lines.at(-1) ?? '' }
}

describe('completion', () => {
  let api: FakeApi
  before(async () => {
    api = await startFakeApi({ objects: shopCluster() })
  })
  afterEach(() => api.faults.clear())
  after(() => api.stop())

  describeForms('by', (cli) => {
    let env: Record<string, string>
    let resultOf: (line: string) => Promise<CliResult>
    before(async () => {
      const config = JSON.parse(api.kubeconfig()) as { contexts: { name: string }[] }
      config.contexts.push({ ...config.contexts[0], name: 'other' })
      const path = join(cli().folder, 'two.kubeconfig')
      await writeFile(path, JSON.stringify(config))
      env = { KUBECONFIG: path }
      const program = 'kubectl_complete-images'
      resultOf = cli().runAhead(COMPLETIONS.map(([typed]) => [typed.join(' '), typed, { env, program }]))
    })
    const complete = async (
      words: readonly string[],
      variables = env,
      program = 'kubectl_complete-images',
    ) => {
      return answerIn(await cli().run(words, { env: variables, program }))
    }

    for (const [typed, candidates, directive] of COMPLETIONS) {
      it(`of ${JSON.stringify(typed.join(' '))}`, async () => {
        const found = answerIn(await resultOf(typed.join(' ')))
        const bare = found.candidates.map((line) => line.split('\t')[0])
        assert.deepEqual({ ...found, candidates: bare }, { candidates, directive })
      })
    }

    it('of a flag has its description behind a tab', async () => {
      assert.deepEqual(await complete(['--no-h']), {
        candidates: ['--no-headers\tno header and no closing line'],
        directive: NO_FILES,
      })
      const { candidates } = await complete(['--'])
      assert.ok(candidates.length > 30)
      assert.ok(candidates.every((line) => /^--[a-z-]+\t\S/.test(line)))
      assert.ok(!candidates.some((line) => line.includes('protobuf')), 'hidden flags stay hidden')
    })

    it('of kubectl deckwatch has the commands, and theirs behind them', async () => {
      const long = 'kubectl_complete-deckwatch'
      const { candidates } = await complete([''], env, long)
      assert.match(candidates.join(), /^blame\t.*,images\t/)
      assert.deepEqual((await complete(['images', '--by', 'p'], env, long)).candidates, ['pod'])
      const [history = ''] = (await complete(['images', 'h'], env, long)).candidates
      assert.match(history, /^history\t/)
      assert.deepEqual((await complete(['images', 'history', '--companion='], env, long)).candidates, [])
    })

    it('asks the cluster that the words name', async () => {
      const nowhere = { KUBECONFIG: '/nowhere' }
      const words = ['--kubeconfig', env['KUBECONFIG'] ?? '', '-n', 'sh']
      assert.deepEqual((await complete(words, nowhere)).candidates, ['shop'])
      assert.deepEqual((await complete(['-s', api.url, '-n', 'sh'], nowhere)).candidates, ['shop'])
    })

    it('has nothing where nothing can be found out, and never an error', async () => {
      const none = { candidates: [], directive: NO_FILES }
      assert.deepEqual(await complete(['-n', ''], { KUBECONFIG: '/nowhere' }), none)
      assert.deepEqual(await complete(['--context', ''], { KUBECONFIG: '/nowhere' }), none)
      api.faults.always('/api/v1/namespaces', { kind: 'status', status: 403, reason: 'Forbidden' })
      assert.deepEqual(await complete(['-n', '']), none)
      await writeFile(join(cli().folder, 'bad.yaml'), '\t')
      assert.deepEqual(await complete(['-n', ''], { KUBECONFIG: join(cli().folder, 'bad.yaml') }), none)
    })

    it('does not keep a person waiting for a server that does not answer', async () => {
      api.faults.always('/api/v1/namespaces', { kind: 'stall' })
      assert.deepEqual(await complete(['-n', '']), { candidates: [], directive: NO_FILES })
    })
  })
})
