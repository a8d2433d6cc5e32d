import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { whyNoTerminal } from '../kit/run-cli.ts'
import { skip } from '../kit/skip.ts'
import { shopCluster } from './shop-cluster.ts'

const ESC = '\u001b'
const CLEAR = `\r${ESC}[K`
const PODS = '/api/v1/namespaces/staging/pods'
const ASK = ['-n', 'staging']

describe('a terminal', () => {
  let api: FakeApi
  before(async function () {
    const reason = await whyNoTerminal()
    if (reason !== undefined) skip(this, reason)
    api = await startFakeApi({ objects: shopCluster() })
  })
  afterEach(() => api.faults.clear())
  after(() => api?.stop())

  describeForms('of', (cli) => {
    let env: Record<string, string>
    before(async () => {
      env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
    })
    // Longer than the half second in which nothing is shown, however slow this machine is.
    const slowly = (): unknown => api.faults.always(PODS, { kind: 'drip', bytes: 400, everyMs: 250 })
    /** The answer itself: what stands behind the last line that was taken away, if this machine was slow. */
    const answerIn = (shown: string): string => shown.split(CLEAR).at(-1) ?? ''
    const uncoloured = (text: string): string => text.replaceAll(/\u001b\[\d+m/g, '')

    it('has its answer in colour, in the same columns as without', async () => {
      const [shown, piped] = await Promise.all([
        cli().runInTerminal(['-n', 'shop'], { env }),
        cli().run(['-n', 'shop'], { env }),
      ])
      assert.equal(shown.exitCode, 0)
      assert.ok(shown.stdout.includes(`${ESC}[1mIMAGE${ESC}[22m`), shown.stdout)
      assert.match(shown.stdout, /\u001b\[33m2 digests \(!\)\u001b\[39m/)
      assert.equal(uncoloured(answerIn(shown.stdout)), piped.stdout + piped.stderr)
    })

    for (const [variables, args] of [
      [{ NO_COLOR: '1' }, []],
      [{ TERM: 'dumb' }, []],
      [{}, ['--color=never']],
      [{}, ['--color', 'never']],
      [{ FORCE_COLOR: '1' }, ['--color=never']],
    ] as const) {
      it(`has no colour with ${JSON.stringify(variables)} ${args.join(' ')}`, async () => {
        const { stdout } = await cli().runInTerminal([...ASK, ...args], { env: { ...env, ...variables } })
        assert.match(answerIn(stdout), /^IMAGE/)
        assert.ok(!answerIn(stdout).includes(ESC), stdout)
      })
    }

    for (const [variables, args] of [
      [{}, ['--color=always']],
      [{ NO_COLOR: '1' }, ['--color=always']],
      [{ FORCE_COLOR: '1' }, []],
    ] as const) {
      it(`is not needed for colour with ${JSON.stringify(variables)} ${args.join(' ')}`, async () => {
        const { stdout } = await cli().run([...ASK, ...args], { env: { ...env, ...variables } })
        assert.ok(stdout.startsWith(`${ESC}[1mIMAGE`), stdout)
      })
    }

    it('is needed for colour otherwise: none in a pipe, in a file, or in JSON', async () => {
      for (const format of ['table', 'wide', 'csv', 'name', 'json', 'yaml']) {
        const { stdout } = await cli().run([...ASK, '-o', format], { env })
        assert.ok(!stdout.includes(ESC))
      }
      await cli().runInTerminal(ASK, { env, redirect: '> file' })
      assert.match(await readFile(join(cli().folder, 'file'), 'utf8'), /^IMAGE/)
      const { stdout } = await cli().runInTerminal([...ASK, '-o', 'json', '--color=always'], { env })
      assert.equal(typeof JSON.parse(answerIn(stdout)), 'object')
    })

    it('shows what a slow answer waits for after half a second, and takes it away again', async () => {
      slowly()
      const [slow, fast] = await Promise.all([
        cli().runInTerminal(ASK, { env: { ...env, NO_COLOR: '1' } }),
        cli().run(['-n', 'staging'], { env }),
      ])
      const { stdout } = slow
      assert.ok(stdout.startsWith(`${CLEAR}listing pods${CLEAR}`), JSON.stringify(stdout))
      // What stands after the last clearing is the answer alone.
      assert.equal(answerIn(stdout), fast.stdout + fast.stderr)
    })

    it('shows it while stdout goes into a pipe, and not where stderr is none', async () => {
      slowly()
      const [both, quiet] = await Promise.all([
        cli().runInTerminal([...ASK, '-o', 'name'], { env, redirect: '> slow-out' }),
        cli().runInTerminal([...ASK, '-o', 'name'], { env, redirect: '2> slow-err' }),
      ])
      assert.ok(both.stdout.startsWith(`${CLEAR}listing pods`), JSON.stringify(both.stdout))
      assert.ok(both.stdout.endsWith(CLEAR))
      assert.match(quiet.stdout, /^Docker\.io/)
      assert.equal(await readFile(join(cli().folder, 'slow-err'), 'utf8'), '')
    })

    it('has the line taken away before an error, and after Ctrl-C', async () => {
      api.faults.always(PODS, { kind: 'stall' })
      const failed = await cli().runInTerminal([...ASK, '--request-timeout', '900ms'], { env })
      assert.equal(failed.exitCode, 3)
      assert.match(failed.stdout, /\r\u001b\[Klisting pods\r\u001b\[Kerror: the API server /)
      const stalled = await cli().startInTerminal(ASK, { env })
      await stalled.waitFor('stdout', 'listing pods')
      stalled.type('\u0003')
      const { stdout, exitCode } = await stalled.ended
      // The terminal itself shows the key that was pressed.
      assert.equal(stdout.replace('^C', ''), `${CLEAR}listing pods${CLEAR}`)
      assert.equal(exitCode, 130)
    })
  })
})
