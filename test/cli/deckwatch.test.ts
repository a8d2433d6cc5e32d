import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeForms } from '../kit/cli-forms.ts'
import { GoldenSession } from '../kit/golden.ts'
import { freePorts } from '../kit/kubernetes/free-ports.ts'
import type { CliResult } from '../kit/run-cli.ts'
import { words } from './command-line.ts'

const HELPS = ['install --help', 'purge --help', 'status --help', 'uninstall --help']

/** Other spellings, with what they are a spelling of. */
const SAME_HELPS: readonly (readonly [line: string, as: string])[] = [
  ['help install', 'install --help'],
  ['-n deckwatch install -h', 'install --help'],
  ['status help', 'status --help'],
]

/** Wrong before any cluster is asked. */
const WRONG = [
  'install --replicas 2',
  'install --replicas two',
  'install --api-replicas -1',
  'install --components audit-log --set auditLog.keepLast=200',
  'install --components image-graph,role-reconciler',
  'install --components pods',
  'install --components=',
  'install --namespace kube-system',
  'install --namespace Deck_Watch',
  'install --image',
  'install --storage disk',
  'install --set replicas',
  'install --set storage=5Gi',
  'install --set logLevel=loud',
  'install --set ports.api=80',
  'install --host-network --set ports.api=10250',
  'install --values nowhere.yaml',
  'install --values broken.yaml',
  'install --values unknown.yaml',
  'install --timeout soon',
  'install -o table',
  'install now',
  'purge',
  'purge --yes --field data[ configmap/settings',
  'purge configmap/settings --field data.motto',
  'status -o wide',
  'status deckwatch',
  'uninstall --keep-dat',
  'uninstall everything',
]

describe('kubectl deckwatch install, purge, status, uninstall', () => {
  const golden = new GoldenSession(fileURLToPath(new URL('golden/deckwatch.txt', import.meta.url)))
  after(() => golden.save())

  describeForms('as run by', (cli) => {
    const program = 'kubectl-deckwatch'
    let resultOf: (line: string) => Promise<CliResult>
    let nowhere: string
    before(async () => {
      const { folder } = cli()
      await writeFile(join(folder, 'broken.yaml'), 'a: [')
      await writeFile(join(folder, 'unknown.yaml'), 'storage:\n  speed: fast\n')
      await writeFile(
        join(folder, 'mine.yaml'),
        'components: all\napiReplicas: 2\nstorage: {type: pvc, size: 8Gi}\nnodeSelector: {disk: ssd}\n',
      )
      const [port = 0] = await freePorts(1)
      nowhere = `https://127.0.0.1:${port}`
      const lines = [...HELPS, ...SAME_HELPS.map(([line]) => line), ...WRONG]
      // Were a cluster asked, the answer would be another.
      const env = { KUBECONFIG: '/nowhere' }
      resultOf = cli().runAhead(lines.map((line) => [line, words(line), { program, env, cwd: folder }]))
    })

    for (const line of HELPS) {
      it(`kubectl deckwatch ${line}`, async () => {
        const result = await resultOf(line)
        await golden.check(`kubectl deckwatch ${line}`, result)
        assert.deepEqual(
          result.stdout.split('\n').filter((text) => text.length > 100),
          [],
        )
      })
    }

    for (const [line, as] of SAME_HELPS) {
      it(`kubectl deckwatch ${line} is the same as ${as}`, async () => {
        await golden.check(`kubectl deckwatch ${as}`, await resultOf(line))
      })
    }

    for (const line of WRONG) {
      it(`kubectl deckwatch ${line} is wrong usage`, async () => {
        const result = await resultOf(line)
        assert.equal(result.exitCode, 2)
        await golden.check(`kubectl deckwatch ${line}`, result)
      })
    }

    it('manifests need no cluster where the storage is chosen', async () => {
      const env = { KUBECONFIG: '/nowhere' }
      const args = ['install', '--values', 'mine.yaml', '--set', 'logLevel=debug', '-o', 'json']
      const { stdout, stderr, exitCode } = await cli().run(args, { program, env, cwd: cli().folder })
      assert.equal(stderr, '')
      assert.equal(exitCode, 0)
      const { kind, items } = JSON.parse(stdout) as { kind: string; items: Item[] }
      assert.equal(kind, 'List')
      assert.equal(items.at(-1)?.kind, 'APIService')
      const find = (wanted: string, name: string): Item | undefined =>
        items.find((item) => item.kind === wanted && item.metadata.name === name)
      assert.equal(find('Deployment', 'deckwatch-api')?.spec.replicas, 2)
      assert.equal(find('PersistentVolumeClaim', 'deckwatch-data')?.spec.resources?.requests.storage, '8Gi')
      assert.match(JSON.stringify(find('ConfigMap', 'deckwatch-config')), /log-level: \\+"debug/)
    })

    it('alerts and dashboard need no cluster', async () => {
      const print = async (what: string): Promise<string> => {
        const run = ['install', '--print', what, '--namespace', 'tools']
        const { stdout, stderr, exitCode } = await cli().run(run, {
          program,
          env: { KUBECONFIG: '/nowhere' },
        })
        assert.equal(exitCode, 0, stderr)
        return stdout
      }
      assert.match(
        await print('alerts'),
        /^kind: PrometheusRule\nmetadata:\n {2}name: deckwatch\n {2}namespace: tools$/m,
      )
      const { title, panels } = JSON.parse(await print('dashboard')) as { title: string; panels: unknown[] }
      assert.equal(title, 'deckwatch: who changed what')
      assert.ok(panels.length > 5)
    })

    it('a flag wins over --set, and --set over the file', async () => {
      const flags = ['--values', 'mine.yaml', '--set', 'apiReplicas=3,image=b:2', '--image', 'a:1']
      const args = ['install', ...flags, '-o', 'yaml']
      const { stdout } = await cli().run(args, {
        program,
        env: { KUBECONFIG: '/nowhere' },
        cwd: cli().folder,
      })
      assert.match(stdout, /^ {2}replicas: 3$/m)
      assert.match(stdout, /^ +image: a:1$/m)
      assert.doesNotMatch(stdout, /b:2/)
    })

    it('in the network of the node another port is taken than that of the kubelet', async () => {
      const args = ['install', '--host-network', '--storage', 'emptyDir', '-o', 'yaml']
      const { stdout, exitCode } = await cli().run(args, { program, env: { KUBECONFIG: '/nowhere' } })
      assert.equal(exitCode, 0)
      assert.match(stdout, /^ +containerPort: 20250$/m)
    })

    for (const line of ['install --yes', 'install -o yaml', 'status', 'status -o json', 'uninstall --yes']) {
      it(`kubectl deckwatch ${line} says that the API server is out of reach`, async () => {
        const args = [...words(line), '--server', nowhere, '--insecure-skip-tls-verify']
        const { stdout, stderr, exitCode } = await cli().run(args, { program })
        assert.equal(stdout, '')
        assert.match(stderr, /\[KUBE_UNREACHABLE\]/)
        assert.equal(exitCode, 3)
      })
    }

    it('completion offers the commands, their flags and values', async () => {
      const complete = async (...typed: readonly string[]): Promise<string[]> => {
        const { stdout } = await cli().run(typed, { program: 'kubectl_complete-deckwatch' })
        return stdout.trimEnd().split('\n')
      }
      assert.deepEqual(
        (await complete('')).map((line) => line.split('\t')[0]),
        ['blame', 'images', 'install', 'purge', 'status', 'uninstall', ':4'],
      )
      assert.deepEqual(await complete('install', '--storage', ''), ['pvc', 'hostPath', 'emptyDir', ':4'])
      assert.deepEqual(await complete('install', '--components', ''), [
        'all',
        'image-graph',
        'audit-log',
        ':4',
      ])
      assert.deepEqual(await complete('install', '--values', ''), [':0'])
      assert.deepEqual(
        (await complete('uninstall', '--k')).map((line) => line.split('\t')[0]),
        ['--keep-data', '--kubeconfig', ':4'],
      )
    })
  })
})

interface Item {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly replicas?: number
    readonly resources?: { readonly requests: { readonly storage: string } }
  }
}
