import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { describeForms } from '../kit/cli-forms.ts'
import { GoldenSession } from '../kit/golden.ts'
import { Cli, type CliResult } from '../kit/run-cli.ts'
import { words } from './command-line.ts'
import { shopCluster } from './shop-cluster.ts'

/** The screens that must not wrap on a terminal of 100 columns. */
const SCREENS = [
  '-n shop',
  '-A --by node',
  '-A --by registry',
  '-A --by namespace',
  '-n staging --by container',
  '-n staging --by pod',
  '-n staging --by workload',
]

const OTHERS = [
  '-A',
  '-A --by container',
  '-A --by pod',
  '-A --by workload',
  '-n shop --by node',
  '-n shop -o wide',
  '-n staging --by container -o wide',
  '-n staging --by pod -o wide',
  '-n staging --by workload -o wide',
  '-A --by node -o wide',
  '-n staging -o json',
  '-n staging -o yaml',
  '-A -o json redis',
  '-n staging --by container -o json typo',
  '-n staging --by pod -o yaml redis',
  '-A -o csv',
  "-n shop --by container -o csv 'web-preview|pay'",
  '-A --by node -o csv',
  '-A -o name',
  '-A --by pod -o name',
  '-A --by container -o name nginx',
  '-A --by workload -o name',
  '-A --by node -o name',
  '-A --by registry -o name',
  '-A --by namespace -o name',
  "-A -o 'jsonpath={.items[*].image.reference}'",
  `-n staging -o 'jsonpath={range .items[*]}{.image.name} {.usage.pods}{"\\n"}{end}'`,
  '-A -o custom-columns=IMAGE:.image.reference,PODS:.usage.pods,SIZE:.sizeBytes',
  '-A --by pod -o custom-columns=POD:.pod,NODE:.node redis',
  '-n staging -o custom-columns=IMAGE:.image.name --no-headers',
  "-n shop -c 0,1,2,3,4,5 'web-7d9c5b-2kxqp|pay'",
  '-A -c 0,1,3 redis',
  '-A -c namespace,pod,container,digest,node,workload redis',
  '-n staging -c 1,3',
  '-n staging -c 3 --no-headers',
  '-n staging -c 0,1,2,3,4,5 -o json',
  '-n staging -c 0,1,2,3,4,5 -o yaml',
  '-n staging -c 0,1,5 -o csv',
  '-n staging -u',
  '-A -u -c 3 nginx',
  '-A -u -c 3 -o json nginx',
  '-A --sort-by size --reverse -c 5,3 registry',
  '-n shop --sort-by size --reverse',
  '-n shop --sort-by pods',
  '-n staging --reverse',
  '-n staging --sort-by {.tag}',
  '-n staging --sort-by .sizeBytes -o name',
  '-n shop --no-headers',
  '-A --by node --no-headers',
  '-A -l app=redis',
  "-A -l 'app in (pay,logger)'",
  '-A --field-selector spec.nodeName=node-3',
  '-A web --match pod',
  '-A web --match image',
  "-A '^ghcr.io/.*:v2'",
  "-A '(?i)DOCKER.IO/acme'",
  '-n shop report --running-only',
  '-n shop no-such-thing',
  '-A no-such-thing',
  '-n nowhere',
  '-n nowhere -o json',
  '-n nowhere -o yaml',
  '-n nowhere -o csv',
  '-n nowhere -o name',
  '-n nowhere -c 0,1',
  '-n nowhere -c 0,1 -o json',
  '-n nowhere --by pod -o json',
]

describe('views of a shop', () => {
  const golden = new GoldenSession(fileURLToPath(new URL('golden/views.txt', import.meta.url)))
  let api: FakeApi
  before(async () => {
    api = await startFakeApi({ objects: shopCluster() })
  })
  after(async () => {
    await api.stop()
    await golden.save()
  })

  describeForms('in', (cli) => {
    let env: Record<string, string>
    let resultOf: (line: string) => Promise<CliResult>
    before(async () => {
      env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
      resultOf = cli().runAhead([...SCREENS, ...OTHERS].map((line) => [line, words(line), { env }]))
    })

    for (const line of [...SCREENS, ...OTHERS]) {
      it(`kubectl images ${line}`, async () => {
        const result = await resultOf(line)
        await golden.check(`kubectl images ${line}`, result)
        assert.equal(result.exitCode, 0)
        const printed = (result.stdout + result.stderr).split('\n')
        if (SCREENS.includes(line))
          assert.deepEqual(
            printed.filter((text) => text.length > 100),
            [],
          )
      })
    }

    for (const format of ['json', 'yaml', 'name', 'csv']) {
      it(`prints the same as ${format} whether pods come as protobuf or as JSON`, async () => {
        const line = ['-A', '--by', 'container', '-o', format]
        const [protobuf, json] = await Promise.all([
          cli().run(line, { env }),
          cli().run([...line, '--no-protobuf'], { env }),
        ])
        assert.deepEqual(json, protobuf)
      })
    }

    it('asks for the nodes only where sizes are shown, and for owners only with -o wide', async () => {
      const asked = async (line: string): Promise<string[]> => {
        const alone = await startFakeApi({ objects: shopCluster() })
        try {
          await cli().run([...words(line), '--server', alone.url, '--companion=never'])
          return [...new Set(alone.requests.map(({ path }) => path))].toSorted()
        } finally {
          await alone.stop()
        }
      }
      const pods = '/api/v1/namespaces/shop/pods'
      assert.deepEqual(await asked('-n shop --by pod'), [pods])
      assert.deepEqual(await asked('-n shop --by container'), [pods])
      assert.deepEqual(await asked('-n shop -o name'), [pods])
      assert.deepEqual(await asked('-n shop -c 0,1,2,3,4'), [pods])
      assert.deepEqual(await asked('-n shop'), [pods, '/api/v1/nodes'])
      assert.deepEqual(await asked('-n shop -o wide'), [
        '/api/v1/namespaces/shop/pods',
        '/api/v1/nodes',
        '/apis/apps/v1/namespaces/shop/replicasets',
        '/apis/batch/v1/namespaces/shop/jobs',
      ])
    })
  })

  it('come from the sources too, without a build', async () => {
    const cli = await Cli.create('source')
    try {
      const env = { KUBECONFIG: await api.writeKubeconfig(cli.folder) }
      await golden.check('kubectl images -n shop', await cli.run(['-n', 'shop'], { env }))
    } finally {
      await cli.stop()
    }
  })
})
