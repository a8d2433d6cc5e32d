import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { requireRoot, stopShared } from '../kit/kubernetes/shared.ts'
import { DemoRun } from '../kit/shop/demo-run.ts'

const RUN_MS = 300_000

const shell = promisify(execFile)

/** The commands whose output the README shows. */
function recordedCommands(): string[] {
  const text = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const [, recorded = ''] = /<!-- recorded:start -->([^]*)<!-- recorded:end -->/.exec(text) ?? []
  return [...recorded.matchAll(/^\$ (.*)$/gm)].map(([, command = '']) => command)
}

describe('npm run demo, with a real node,', function () {
  this.timeout(RUN_MS)
  let demo: DemoRun | undefined

  before(async function () {
    await requireRoot(this)
    // One node at a time lives on a host.
    await stopShared()
  })

  afterEach(async () => {
    await demo?.kill()
  })

  it('shows every command with its output, stays up as it says, and ends without a trace at Ctrl-C', async () => {
    demo = new DemoRun([])
    await demo.waitFor('  kubectl deckwatch install --components image-graph,audit-log\n')
    const { output } = demo
    const shown = [...output.matchAll(/^# .+ \((.+)\)\n\$ (.*)\n/gm)].map(([, , command]) => command)
    assert.deepEqual(shown, [
      'kubectl images -n shop',
      'kubectl images -A',
      'kubectl images -A redis --by pod',
      'kubectl images -n shop web -c pod,container,image,size',
      'kubectl images -n shop --follow',
      'kubectl images -A --by node',
      'kubectl images -A -o json | head -n 32',
      'kubectl deckwatch install --components image-graph,audit-log --yes',
      'kubectl get images -A',
      'kubectl images -A',
      'kubectl --context dev-1 scale deployment/web --replicas=2',
      'kubectl --context argocd apply -f web.yaml --server-side --force-conflicts --field-manager argocd-controller',
      'kubectl --context dev-2 create deployment shadow --image=alpine:3.20',
      'kubectl --context dev-2 scale deployment/web --replicas=0 --dry-run=server',
      'kubectl images -n shop --follow --no-initial',
      'kubectl --context dev-2 scale deployment/web --replicas=3',
      'kubectl blame deploy web -n shop',
      'kubectl blame deploy web -n shop -f diff',
      'kubectl blame deploy web -n shop -f yaml | head -n 40',
      'kubectl blame',
      'kubectl images history nginx -n shop',
      'kubectl images nginx -n shop --since 1h',
      'kubectl deckwatch status',
      'kubectl deckwatch uninstall --yes',
    ])
    assert.deepEqual(recordedCommands(), shown)
    assert.match(output, / objects applied in \d+ s; images\.deckwatch\.dev and 5 more answer$/m)
    assert.match(output, /; resumed, nothing missed$/m)
    assert.match(output, /^ *companion +1\/1 in deckwatch /m)
    assert.match(output, /^\S+ +- +nginx:1\.28-alpine +web-/m)
    assert.match(output, /^ ok {2}all is gone but what stays$/m)
    assert.match(output, /\(!\) redis:7-alpine runs as 2 digests/)
    assert.match(output, /\[\+\|image\] {2}nginx:1\.28-alpine {2}\[shop\|web-/)
    assert.match(output, /\[-\|image\] {2}nginx:1\.27-alpine {2}\[shop\|web-/)
    assert.match(output, /^kit-node /m)
    // The lines alone: the whole output is cut where a failure is reported.
    assert.deepEqual(
      output.split('\n').filter((line) => /exit code|No real node/.test(line)),
      [],
    )
    const blamed = output.slice(output.indexOf('$ kubectl blame deploy web -n shop\n'))
    assert.match(blamed, /^deployment\/web in shop: 3 of 4 changes, newest first; recording since /m)
    assert.match(blamed, /^\d+s +dev-2@example\.org .*scaled 2 → 3$/m)
    assert.match(
      blamed,
      /^-- not recording .+; 1 change without a name:\n\d+s +\? \(manager: kubectl-set\) /m,
    )
    assert.match(blamed, /^\d+s +dev-2@example\.org via Argo CD +shop@9f3c2e1 /m)
    assert.match(blamed, /^ +\d+s +deployment\/web +dev-1@example\.org .*scaled 3 → 2$/m)
    assert.match(blamed, /^dev-2@example\.org +UPDATE +\d+s +replicas: 3$/m)
    // Refused, and only tried.
    assert.doesNotMatch(blamed, /shadow|→ 0$/m)
    assert.match(blamed, /^- webhook +1 change in the \w+ since it was started landed without a review/m)

    const lines = output.slice(output.indexOf('In another terminal:')).split('\n').slice(1, 4).join('\n')
    const { stdout } = await shell('sh', ['-c', lines])
    assert.match(stdout, /^docker\.io\/library\/nginx +1\.27-alpine /m)

    demo.interrupt()
    assert.equal(await demo.ended(), 0)
    assert.deepEqual(demo.nodeLeftovers(), [])
  })

  it('ends without a trace at Ctrl-C while pods are starting', async () => {
    demo = new DemoRun([])
    await demo.waitFor('starting the node (containerd and kubelet): done')
    demo.interrupt()
    assert.equal(await demo.ended(), 130)
    assert.deepEqual(demo.nodeLeftovers(), [])
  })
})
