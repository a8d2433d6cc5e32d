import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { buildPod } from '../kit/fake-api/pod-builder.ts'
import { GoldenSession } from '../kit/golden.ts'
import type { CliResult } from '../kit/run-cli.ts'
import { skip } from '../kit/skip.ts'
import { words } from './command-line.ts'
import { shopCluster } from './shop-cluster.ts'

/** Command lines that mean `images check`, whatever stands where. */
const CHECKS = [
  'check',
  '-n kube-system check',
  'check -n kube-system',
  '-nkube-system check',
  '--namespace=kube-system check',
  '--namespace kube-system check',
  '-A check',
  'check -A',
  '-An kube-system check',
  '--context fake check -A',
]

/** Command lines in which `check` is no sub-command, with what they print as names. */
const NO_CHECKS: readonly (readonly [line: string, stdout: string])[] = [
  ['-A -o name -- check', 'checker:1\n'],
  ['-o name -A chec', 'checker:1\n'],
  ['-n check -o name', 'inside:1\n'],
  ['-o name -n=check', 'inside:1\n'],
  ['-o name --namespace check ins', 'inside:1\n'],
  ['-l app=check -A -o name', ''],
  ['-o name -A -- help', ''],
]

/** Command lines that mean the same: the images of namespace staging with redis in them, by name. */
const SAME = [
  'redis -n staging -o name',
  '-n staging redis -o name',
  '-n staging -o name redis',
  '-nstaging -oname redis',
  '-n=staging -o=name redis',
  '--namespace=staging --output=name redis',
  '--namespace staging --output name redis',
  '-n shop -n staging -o json -o name redis',
  '-A=false -n staging -o name redis',
  '--all-namespaces=false -n staging -o name redis',
  '-n staging -o name -- redis',
]

const CHECK_HELP = ['check --help', 'help check', '-n shop check -h']

const HELP = ['-h', '--help', 'help', '-n shop --help', 'redis -h', '-Ah', 'help -n shop']

describe('the order of words and flags', () => {
  const golden = new GoldenSession(fileURLToPath(new URL('golden/help.txt', import.meta.url)))
  let api: FakeApi
  before(async () => {
    api = await startFakeApi({ objects: shopCluster() })
    api.put(buildPod('checker', { namespace: 'ops', containers: ['checker:1'] }))
    api.put(buildPod('a', { namespace: 'check', containers: ['inside:1'] }))
  })
  after(async () => {
    await api.stop()
    await golden.save()
  })

  describeForms('as read by', (cli) => {
    let env: Record<string, string>
    let resultOf: (line: string) => Promise<CliResult>
    before(async () => {
      env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
      const lines = [...CHECKS, ...NO_CHECKS.map(([line]) => line), ...SAME, ...HELP, ...CHECK_HELP]
      resultOf = cli().runAhead(lines.map((line) => [line, words(line), { env }]))
    })
    const long = 'kubectl-deckwatch'

    for (const line of CHECKS) {
      it(`kubectl images ${line} is the check, which this version does not have`, async () => {
        const result = await resultOf(line)
        assert.deepEqual(result, {
          stdout: '',
          stderr:
            'error: kubectl images check is not in this version yet [NOT_YET]\nTo look for pods or images named "check": kubectl images -- check\n',
          exitCode: 2,
          signal: undefined,
        })
      })
    }

    for (const [line, stdout] of NO_CHECKS) {
      it(`kubectl images ${line} is no check`, async () => {
        const result = await resultOf(line)
        assert.equal(result.stdout, stdout)
        assert.equal(result.exitCode, 0)
      })
    }

    for (const line of SAME) {
      it(`kubectl images ${line}`, async () => {
        const result = await resultOf(line)
        assert.deepEqual(result, { stdout: 'redis:7\n', stderr: '', exitCode: 0, signal: undefined })
      })
    }

    for (const line of [
      'images redis -n staging -o name',
      '-n staging images -o name redis',
      '-n staging -o name images redis',
      '--namespace=staging images -o name -- redis',
    ]) {
      it(`kubectl deckwatch ${line}`, async () => {
        const result = await cli().run(words(line), { env, program: long })
        assert.deepEqual(result, { stdout: 'redis:7\n', stderr: '', exitCode: 0, signal: undefined })
      })
    }

    it('kubectl deckwatch images check is the check too', async () => {
      for (const line of ['images check', '-n shop images check', 'images -n shop check']) {
        const { exitCode, stderr } = await cli().run(words(line), { env, program: long })
        assert.equal(exitCode, 2)
        assert.match(
          stderr,
          /check is not in this version yet \[NOT_YET\]\n.*kubectl deckwatch images -- check\n$/,
        )
      }
    })

    for (const line of HELP) {
      it(`kubectl images ${line} is the help`, async () => {
        await golden.check('kubectl images --help', await resultOf(line))
      })
    }

    for (const line of CHECK_HELP) {
      it(`kubectl images ${line} is the help of the check`, async () => {
        await golden.check('kubectl images check --help', await resultOf(line))
      })
    }

    for (const line of ['', 'help', '-h', '--help']) {
      it(`kubectl deckwatch ${line} says what there is`, async () => {
        await golden.check('kubectl deckwatch', await cli().run(words(line), { program: long }))
      })
    }

    for (const line of ['--help', 'help', 'deploy web -h']) {
      it(`kubectl blame ${line} is the help of blame`, async () => {
        const program = 'kubectl-blame'
        await golden.check('kubectl blame --help', await cli().run(words(line), { program }))
      })
    }

    it('kubectl deckwatch help images, images --help and images help say the same', async () => {
      for (const line of ['help images', 'images --help', 'images help']) {
        await golden.check('kubectl deckwatch images --help', await cli().run(words(line), { program: long }))
      }
    })

    it('kubectl deckwatch says which commands there are when it does not know one', async () => {
      await golden.check('kubectl deckwatch imgs', await cli().run(['imgs'], { program: long }))
    })

    it('help fits 100 columns', async () => {
      const { stdout } = await cli().run(['--help'])
      assert.deepEqual(
        stdout.split('\n').filter((text) => text.length > 100),
        [],
      )
    })

    it('--version tells name and version, whichever way it is called', async () => {
      for (const program of ['kubectl-images', long]) {
        const { stdout, exitCode } = await cli().run(['--version'], { program })
        assert.match(stdout, new RegExp(`^${program} \\d+\\.\\d+\\.\\d+\\n$`))
        assert.equal(exitCode, 0)
      }
    })

    it('a value may begin like a flag', async () => {
      for (const line of ['-l -size', '-l=-size', '--selector -size', '--selector=-size', '-l-size']) {
        const result = await cli().run(['-n', 'staging', ...words(line)], { env })
        assert.equal(result.exitCode, 0, result.stderr)
        const asked = api.requests.findLast(({ path }) => path.endsWith('/pods'))
        assert.equal(asked?.query.get('labelSelector'), '-size')
      }
    })

    it('kubectl itself finds the plugin and its completion', async function () {
      const onPath = {
        ...env,
        PATH: `${join(cli().folder, 'bin')}:${dirname(process.execPath)}:${process.env['PATH']}`,
      }
      if ((await cli().runShell('command -v kubectl')).exitCode !== 0) {
        skip(this, 'kubectl is not installed; the cluster tests bring their own')
      }
      for (const program of ['kubectl-images', 'kubectl_complete-images'])
        await cli().run(['--version'], { program })
      const result = await cli().runShell('kubectl images -n staging -o name redis', { env: onPath })
      assert.deepEqual(result, { stdout: 'redis:7\n', stderr: '', exitCode: 0, signal: undefined })
      const completed = await cli().runShell('kubectl __complete images --by n', { env: onPath })
      assert.match(completed.stdout, /^node\nnamespace\n:4\n/)
    })
  })
})
