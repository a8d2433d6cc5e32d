import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { helm, requireHelm } from '../kit/helm.ts'
import { CompanionWorld, eventually } from './companion-world.ts'

const CHART = join(import.meta.dirname, '../../server/deploy/chart')

describe('the companion on a real node, installed by Helm', function () {
  this.timeout(300_000)
  let world: CompanionWorld
  let program: string
  let folder: string

  before(async function () {
    program = await requireHelm(this)
    world = await CompanionWorld.require(this)
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-node-helm-'))
    await world.remember()
  })

  after(async () => {
    if (world === undefined) return
    await runHelm('uninstall', 'deckwatch', '-n', 'deckwatch', '--ignore-not-found')
    await world.kubectl('delete', 'namespace', 'deckwatch', '--ignore-not-found')
    await rm(folder, { recursive: true, force: true })
  })

  async function runHelm(...args: readonly string[]): Promise<string> {
    const kubeconfig = world.cluster.adminKubeconfig
    const { stdout, stderr, exitCode } = await helm(program, folder, args, { kubeconfig })
    assert.equal(exitCode, 0, stdout + stderr)
    return stdout
  }

  it('answers, and says by its status that all is well', async () => {
    await world.kubectl('create', 'namespace', 'deckwatch')
    const set = ['--set', 'storage.type=emptyDir', '--set', 'createNamespace=false']
    await runHelm('install', 'deckwatch', CHART, '-n', 'deckwatch', ...set, '--wait', '--timeout', '60s')
    const images = await eventually(() => world.kubectl('get', 'images', '-A'))
    assert.ok(images.includes(world.reference), images)
    assert.match(await world.kubectl('deckwatch', 'status'), /^companion +1\/1 in deckwatch /)
  })

  it('is left to Helm by install and uninstall', async () => {
    for (const command of ['install', 'uninstall']) {
      const { stderr, exitCode } = await world.run('deckwatch', command, '--yes')
      assert.equal(exitCode, 1)
      assert.match(stderr, /^error: the companion was installed by Helm: .* \[COMPANION_CONFLICT\]$/m)
    }
  })

  it('goes with its release', async () => {
    await runHelm('uninstall', 'deckwatch', '-n', 'deckwatch', '--wait')
    // A namespace whose pods are still ending is looked at again by Kubernetes only after half their time of grace.
    await world.kubectl('wait', 'pods', '--all', '-n', 'deckwatch', '--for=delete', '--timeout=180s')
    await world.kubectl('delete', 'namespace', 'deckwatch', '--timeout=180s')
    await world.expectNoTrace()
  })
})
