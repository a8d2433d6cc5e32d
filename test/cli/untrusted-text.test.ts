import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import type { FakeObject } from '../kit/fake-api/fake-store.ts'
import { buildNode, buildPod } from '../kit/fake-api/pod-builder.ts'
import { GoldenSession } from '../kit/golden.ts'
import { type CliResult, whyNoTerminal } from '../kit/run-cli.ts'
import { skip } from '../kit/skip.ts'
import { words } from './command-line.ts'

const LONG = `registry.example/${'very-long-name/'.repeat(264)}x:1`

/** Images that want to steer the terminal, break a line, hide, or run as a spreadsheet's formula. */
const IMAGES = [
  'red\u001b[31m:1',
  'title\u001b]0;owned\u0007:1',
  'csi\u009b2J:1',
  'bidi\u202etxt.exe:1',
  'two\nlines:1',
  'tab\tand\rreturn:1',
  'zero\u200bwidth:1',
  '=cmd|calc:1',
  'quote",comma:1',
  'wide-日本語:1',
  '',
  LONG,
]

// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const STEERS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e]/

const SHORT = "-n hostile '^(?!registry)' --match image"
const SCREENS = [
  SHORT,
  `${SHORT} --by container`,
  `${SHORT} -c 1,3`,
  `${SHORT} -o csv`,
  `${SHORT} -o name`,
  '-n odd',
  '-n odd --by container -o wide',
  '-n odd -o json no-status',
]
const OTHERS = [
  '',
  '-o wide',
  '-o json',
  '-o yaml',
  '-o csv',
  '-o name',
  '-o custom-columns=A:.image.reference',
  '--by workload',
  '--by workload -o name',
  '--by container -o wide',
  '--by registry',
  '-c 0,1,2,3,4,5,workload',
  '-u -c 3 -o json',
]

function hostilePods(): FakeObject[] {
  const { status: _, ...withoutStatus } = buildPod('no-status', { namespace: 'odd', containers: ['a:1'] })
  const bare = buildPod('no-containers', { namespace: 'odd' })
  return [
    ...IMAGES.map((image, index) =>
      buildPod(`hostile-${String(index).padStart(2, '0')}`, {
        namespace: 'hostile',
        uid: `uid-${index}`,
        owner: { kind: 'Custom\u001b[1m', apiVersion: 'x.example/v1', name: `owner-${index}` },
        containers: [{ name: 'app', image }],
      }),
    ),
    withoutStatus,
    { ...bare, spec: { nodeName: 'node-1' }, status: { phase: 'Running' } },
    {
      ...buildPod('null-status', { namespace: 'odd', containers: ['b:1'] }),
      status: { containerStatuses: null },
    },
    buildPod('half-status', {
      namespace: 'odd',
      containers: [{ name: 'c', image: 'c:1', imageID: 'not an image id \u001b[31m' }],
    }),
    buildNode('node-1', [{ names: ['\u001b[31m', '@'], sizeBytes: 5 }]),
  ]
}

describe('text that nobody vouches for', () => {
  const golden = new GoldenSession(fileURLToPath(new URL('golden/untrusted-text.txt', import.meta.url)))
  let api: FakeApi
  before(async () => {
    api = await startFakeApi({ objects: hostilePods() })
  })
  after(async () => {
    await api.stop()
    await golden.save()
  })

  describeForms('as shown by', (cli) => {
    let env: Record<string, string>
    let resultOf: (line: string) => Promise<CliResult>
    before(async () => {
      env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
      resultOf = cli().runAhead([
        ...SCREENS.map((line) => [line, words(line), { env }] as const),
        ...OTHERS.map((line) => [line, ['-n', 'hostile', ...words(line)], { env }] as const),
      ])
    })

    for (const line of SCREENS) {
      it(`kubectl images ${line}`, async () => {
        const result = await resultOf(line)
        await golden.check(`kubectl images ${line}`, result)
        assert.equal(result.exitCode, 0)
      })
    }

    for (const line of OTHERS) {
      it(`never steers a terminal: kubectl images -n hostile ${line}`, async () => {
        const result = await resultOf(line)
        assert.equal(result.exitCode, 0)
        assert.doesNotMatch(result.stdout + result.stderr, STEERS)
      })
    }

    it('keeps its value in JSON and YAML', async () => {
      const line = ['-n', 'hostile', '-o']
      const [json, yaml] = await Promise.all([
        cli().run([...line, 'json'], { env }),
        cli().run([...line, 'yaml'], { env }),
      ])
      for (const list of [JSON.parse(json.stdout), parse(yaml.stdout)] as {
        items: { image: { reference: string } }[]
      }[]) {
        const references = list.items.map(({ image }) => image.reference)
        assert.deepEqual(references.toSorted(), IMAGES.toSorted())
      }
    })

    it('is passed through jsonpath byte for byte into a pipe, and made visible on a terminal', async function () {
      const line = ['-n', 'hostile', 'red', '-o', 'jsonpath={.items[*].image.reference}']
      assert.equal((await cli().run(line, { env })).stdout, 'red\u001b[31m:1')
      const reason = await whyNoTerminal()
      if (reason !== undefined) skip(this, reason)
      assert.equal((await cli().runInTerminal(line, { env })).stdout, 'red\\x1b[31m:1')
    })

    it('is one line each in the stream, as text and as JSON', async () => {
      const text = await cli().start(['-n', 'hostile', '--follow'], { env })
      await text.waitFor('stderr', 'following')
      const lines = (await text.kill('SIGINT')).stdout
      assert.doesNotMatch(lines, STEERS)
      assert.equal(lines.split('\n').length, IMAGES.length + 1)

      const json = await cli().start(['-n', 'hostile', '--follow', '-o', 'json'], { env })
      await json.waitFor('stderr', 'following')
      const events = (await json.kill('SIGINT')).stdout.trimEnd().split('\n')
      assert.doesNotMatch(events.join('\n'), STEERS)
      const images = events.map((event) => (JSON.parse(event) as { image: string }).image)
      assert.deepEqual(images.toSorted(), IMAGES.toSorted())
    })

    it('of 4,000 bytes is shown whole', async () => {
      const { stdout } = await cli().run(['-n', 'hostile', 'very-long'], { env })
      assert.ok(LONG.length > 3_900 && stdout.includes(LONG), stdout)
    })
  })
})
