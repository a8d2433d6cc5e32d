import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, delimiter, join } from 'node:path'
import type { V1Namespace } from '@kubernetes/client-node'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { DemoRun } from '../kit/shop/demo-run.ts'
import { startPaperShop } from '../kit/shop/paper-shop.ts'
import { sharedShop } from '../kit/shop/shared-shop.ts'

const RUN_MS = 300_000

describe('npm run demo', function () {
  this.timeout(RUN_MS)
  let cluster: ControlPlane
  let folder: string
  let demo: DemoRun | undefined

  before(async function () {
    cluster = await requireCluster(this)
    this.timeout(RUN_MS)
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-demo-'))
  })

  afterEach(async () => {
    await demo?.kill()
  })

  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  describe('without a node,', () => {
    /** Kubernetes' programs without a kubelet, so that no node can be started whoever runs this. */
    function withoutKubelet(): Record<string, string> {
      const { binaries } = cluster
      const assets = join(folder, 'assets')
      mkdirSync(assets, { recursive: true })
      for (const part of ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const) {
        const command = binaries.command(part)?.map((word) => `'${word}'`)
        writeFileSync(join(assets, part), `#!/bin/sh\nexec ${command?.join(' ')} "$@"\n`, { mode: 0o755 })
      }
      symlinkSync(binaries.kubectl, join(assets, 'kubectl'))
      return { KUBEBUILDER_ASSETS: assets }
    }

    let environment: Record<string, string>

    before(() => {
      environment = withoutKubelet()
    })

    it('says so plainly, shows every command, records it between the markers of a file, and leaves nothing', async () => {
      const record = join(folder, 'README.md')
      writeFileSync(record, '# Title\n<!-- recorded:start -->\nold\n<!-- recorded:end -->\nThe end.\n')
      demo = new DemoRun(['--once', '--record', record], environment)
      assert.equal(await demo.ended(), 0, demo.output)
      const { output } = demo
      assert.match(output, /^No real node: a node needs /m)
      assert.match(output, /^The companion is left out: it runs as a pod, which needs a node\.$/m)
      assert.equal(output.match(/^\$ kubectl images /gm)?.length, 7)
      assert.match(output, /\[\+\|image\] {2}nginx:1\.28-alpine {2}\[shop\|web-/)
      assert.doesNotMatch(output, /exit code/)
      assert.deepEqual(demo.leftovers(), [])
      const text = readFileSync(record, 'utf8')
      assert.match(text, /^# Title\n<!-- recorded:start -->\n[^]*\n<!-- recorded:end -->\nThe end\.\n$/)
      assert.equal(text.match(/^\$ kubectl images /gm)?.length, 7)
      assert.doesNotMatch(text, /^old$/m)
    })

    for (const moment of ['building the plugins: done', 'starting the control plane: done', '; following']) {
      it(`leaves nothing at Ctrl-C after "${moment}"`, async () => {
        demo = new DemoRun(['--once'], environment)
        await demo.waitFor(moment)
        demo.interrupt()
        assert.equal(await demo.ended(), 130)
        assert.deepEqual(demo.leftovers(), [])
      })
    }
  })

  describe('on a cluster of one’s own,', () => {
    let own: ControlPlane

    const environmentOf = (kubeconfig: string) => ({
      KUBECONFIG: kubeconfig,
      KUBECACHEDIR: join(folder, 'kubectl-cache'),
      XDG_CACHE_HOME: join(folder, 'plugin-cache'),
      PATH: [dirname(own.kubectlPath), process.env['PATH']].join(delimiter),
    })

    before(async function () {
      this.timeout(RUN_MS)
      // Not the shared one: the demo's node stays, and every DaemonSet there would put a pod on it.
      own = await startControlPlane()
      await sharedShop(own)
    })

    after(() => own?.stop())

    it('shows the commands to somebody who may only read, and writes nothing', async () => {
      const kubeconfig = own.user('demo-reader')
      const binding = [
        'create',
        'clusterrolebinding',
        'demo-reader',
        '--clusterrole=cluster-reader',
        '--user=demo-reader',
      ]
      const rule = [
        'create',
        'clusterrole',
        'cluster-reader',
        '--verb=get,list,watch',
        '--resource=pods,nodes,namespaces',
      ]
      for (const args of [rule, binding]) assert.equal((await own.kubectl(args)).exitCode, 0)
      demo = new DemoRun(['--context', 'kit'], environmentOf(kubeconfig))
      assert.equal(await demo.ended(), 0, demo.output)
      assert.match(demo.output, /^\$ kubectl images --context kit -A$/m)
      assert.match(demo.output, /^docker\.io\/library\/nginx /m)
      assert.match(demo.output, /\nNothing was written to the cluster\.\n$/)
    })

    it('puts the shop up with --yes, and takes it away again', async () => {
      const namespaces = { shop: 'deckwatch-demo-shop', pay: 'deckwatch-demo-pay' }
      const kubelet = await startPaperShop(own, namespaces, ['demo-node'])
      try {
        demo = new DemoRun(['--context', 'kit', '--yes'], environmentOf(own.adminKubeconfig))
        assert.equal(await demo.ended(), 0, demo.output)
      } finally {
        await kubelet.stop()
      }
      assert.match(demo.output, /\[-\|image\] {2}nginx:1\.27-alpine {2}\[deckwatch-demo-shop\|web-/)
      const { items } = await own.admin.send<{ items: V1Namespace[] }>('GET', '/api/v1/namespaces')
      assert.deepEqual(
        items.filter(({ metadata }) => metadata?.name?.startsWith('deckwatch-demo')),
        [],
      )
    })

    it('touches nothing where its namespaces are already', async () => {
      const name = 'deckwatch-demo-pay'
      await own.admin.send('POST', '/api/v1/namespaces', { metadata: { name } })
      demo = new DemoRun(['--context', 'kit', '--yes'], environmentOf(own.adminKubeconfig))
      assert.equal(await demo.ended(), 3)
      assert.match(
        demo.output,
        /error: there is namespace\/deckwatch-demo-pay already; nothing was written\n/,
      )
      const { stdout } = await own.kubectl(['get', 'namespace', name, '-o', 'name'])
      assert.equal(stdout, `namespace/${name}\n`)
      await own.kubectl(['delete', 'namespace', name])
    })

    it('names a context that there is not', async () => {
      demo = new DemoRun(['--context', 'nowhere'], environmentOf(own.adminKubeconfig))
      assert.equal(await demo.ended(), 3)
      assert.match(demo.output, /\nerror: .*context nowhere/)
    })
  })

  it('explains itself, and refuses what it does not know', async () => {
    demo = new DemoRun(['--help'])
    assert.equal(await demo.ended(), 0)
    assert.match(demo.output, /--context NAME/)
    demo = new DemoRun(['--twice'])
    assert.equal(await demo.ended(), 2)
    assert.match(demo.output, /^error: Unknown option '--twice'/)
  })
})
