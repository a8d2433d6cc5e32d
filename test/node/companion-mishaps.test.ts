import assert from 'node:assert/strict'
import { CompanionWorld, eventually } from './companion-world.ts'

const OTHER = 'companion-mishaps-other'

describe('the companion on a real node, when things go wrong', function () {
  this.timeout(300_000)
  let world: CompanionWorld

  before(async function () {
    world = await CompanionWorld.require(this)
    await world.remember()
  })

  afterEach(async () => {
    if (world === undefined) return
    await world.close()
    await world.kubectl('delete', 'namespace', OTHER, '--ignore-not-found', '--timeout=180s')
  })

  const install = (...flags: readonly string[]) =>
    world.run('deckwatch', 'install', '--yes', '--timeout=180s', '--storage=emptyDir', ...flags)

  async function installed(): Promise<void> {
    const { stdout, stderr, exitCode } = await install()
    assert.equal(exitCode, 0, stdout + stderr)
  }

  it('takes its own APIService away when its namespace is deleted, so that no other namespace is held up', async () => {
    await installed()
    await world.kubectl('delete', 'namespace', 'deckwatch', '--timeout=180s')
    assert.equal(await world.kubectl('get', 'apiservice', 'v1alpha1.deckwatch.dev', '--ignore-not-found'), '')
    await world.kubectl('create', 'namespace', OTHER)
    await world.kubectl('delete', 'namespace', OTHER, '--timeout=180s')

    const { stdout, exitCode } = await world.run('deckwatch', 'status')
    assert.equal(exitCode, 1, stdout)
    await world.kubectl('deckwatch', 'uninstall', '--yes', '--timeout=180s')
    await world.expectNoTrace()
  })

  it('was deleted by force: status says what that holds up, and uninstall mends it', async () => {
    await installed()
    await world.kubectl('delete', 'deployment', 'deckwatch', '-n', 'deckwatch')
    await world.kubectl('delete', 'pods', '--all', '-n', 'deckwatch', '--force')
    await world.kubectl('create', 'namespace', OTHER)
    await world.kubectl('delete', 'namespace', OTHER, '--wait=false')
    await eventually(async () => {
      const { stdout, exitCode } = await world.run('deckwatch', 'status')
      assert.equal(exitCode, 1, stdout)
      assert.match(stdout, /^! api +its registration is left over: every Deployment is gone\./m)
      assert.match(
        stdout,
        new RegExp(`^! namespaces +${OTHER} cannot be deleted while the API group does`, 'm'),
      )
      assert.match(stdout, /^ +mend: kubectl delete apiservice v1alpha1\.deckwatch\.dev$/m)
    })

    await world.kubectl('deckwatch', 'uninstall', '--yes', '--timeout=180s')
    await world.kubectl('wait', '--for=delete', `namespace/${OTHER}`, '--timeout=180s')
    await world.expectNoTrace()
  })

  it('has no pod that starts: the API group is not registered, and it says why', async () => {
    const wrong = world.reference.replace(/:[^:]*$/, ':no-such-tag')
    // Never: no registry is asked by a test.
    const { stdout, stderr, exitCode } = await install(
      '--timeout=15s',
      `--image=${wrong}`,
      '--set=imagePullPolicy=Never',
    )
    assert.equal(exitCode, 1, stdout + stderr)
    assert.match(stderr, /\[COMPANION_NOT_READY\]$/m)
    assert.ok(stderr.includes(`the image ${wrong} cannot be pulled`), stderr)
    assert.match(stderr, /the API group is not registered/)
    assert.equal(await world.kubectl('get', 'apiservice', 'v1alpha1.deckwatch.dev', '--ignore-not-found'), '')
  })
})
