import assert from 'node:assert/strict'
import { findCompanion, type CompanionSearch } from '../../../src/cli/shell/companion.ts'
import type { CompanionState } from '../../../src/core/kube/companion.ts'
import type { ClusterConnection } from '../../../src/core/kube/connection.ts'
import type { DeckError } from '../../../src/core/lib/errors.ts'
import { type FakeApi, type FakeApiOptions, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'
const need = { resource: 'clusterimages', component: 'image-graph' }

describe('looking for a companion', () => {
  let api: FakeApi
  let clock: ManualClock
  let ended: AbortController
  let kept: CompanionState | undefined
  let search: CompanionSearch

  async function start(options: FakeApiOptions = {}): Promise<void> {
    api = await startFakeApi(options)
    const connection = { server: api.url, contextName: 'test', userName: '' } as ClusterConnection
    const memory = {
      recall: () => kept,
      keep: (state: CompanionState) => void (kept = state),
      forget: () => void (kept = undefined),
    }
    search = { transport: await fakeTransport(api), connection, memory, clock, signal: ended.signal }
  }
  const asked = (): number => api.requests.filter(({ path }) => path === ROOT).length

  beforeEach(() => {
    clock = new ManualClock()
    ended = new AbortController()
    kept = undefined
  })
  afterEach(async () => {
    ended.abort()
    search.transport.close()
    await api.stop()
  })

  it('finds it, remembers it with what it serves, and asks once', async () => {
    await start({ companion: true })
    assert.deepEqual(await findCompanion(search, need, 'auto'), { found: true })
    assert.deepEqual(await findCompanion(search, need, 'require'), { found: true })
    assert.deepEqual(kept, { state: 'found', resources: api.companion.resources })
    assert.equal(asked(), 1)
  })

  it('finds none silently, and remembers that', async () => {
    await start()
    assert.deepEqual(await findCompanion(search, need, 'auto'), { found: false })
    assert.deepEqual(await findCompanion(search, need, 'auto'), { found: false })
    assert.deepEqual(kept, { state: 'absent' })
    assert.equal(asked(), 1)
  })

  it('says why one that is there cannot be asked', async () => {
    await start()
    api.faults.always(ROOT, { kind: 'status', status: 503, reason: 'ServiceUnavailable' })
    const finding = await findCompanion(search, need, 'auto')
    assert.match((!finding.found && finding.note) || '', /^the companion does not answer: .*answered 503: /)
    assert.equal(kept?.state, 'down')
  })

  it('takes one without the component for none', async () => {
    await start({ companion: true })
    api.companion.resources = ['changes']
    assert.deepEqual(await findCompanion(search, need, 'auto'), { found: false })
  })

  it('waits 300 ms for an answer and no longer, but remembers one that comes later', async () => {
    await start({ companion: true })
    api.faults.next(ROOT, { kind: 'drip', bytes: 50, everyMs: 20 })
    const finding = findCompanion(search, need, 'auto')
    await clock.untilSleep((ms) => ms === 300)
    await clock.advance(300)
    assert.deepEqual(await finding, { found: false })
    assert.equal(kept, undefined)
    while (search.memory.recall() === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(search.memory.recall()?.state, 'found')
  })

  it('leaves an API server that fails to the question proper', async () => {
    await start()
    for (const status of [401, 403, 429]) {
      api.faults.next(ROOT, { kind: 'status', status })
      assert.deepEqual(await findCompanion(search, need, 'auto'), { found: false })
    }
    await api.down()
    assert.deepEqual(await findCompanion(search, need, 'auto'), { found: false })
    assert.equal(kept, undefined)
  })

  describe('that is required', () => {
    const missing: [what: string, spoil: () => void, message: RegExp, hint: RegExp][] = [
      ['is not there', () => api.uninstallCompanion(), /has no companion/, /kubectl deckwatch install$/],
      [
        'is down',
        () => api.faults.always(ROOT, { kind: 'status', status: 503, reason: 'ServiceUnavailable' }),
        /does not answer: .*503/,
        /kubectl deckwatch status$/,
      ],
      [
        'lacks the component',
        () => (api.companion.resources = []),
        /serves no clusterimages/,
        /install --components all$/,
      ],
    ]
    for (const [what, spoil, message, hint] of missing) {
      it(`says that it ${what}`, async () => {
        await start({ companion: true })
        spoil()
        await assert.rejects(findCompanion(search, need, 'require'), (error: DeckError) => {
          assert.equal(error.code, 'COMPANION_ABSENT')
          assert.equal(error.exitCode, 3)
          assert.match(error.message, message)
          assert.match(error.hint ?? '', hint)
          return true
        })
      })
    }

    it('is asked for again though it was absent a moment ago', async () => {
      await start()
      assert.deepEqual(await findCompanion(search, need, 'auto'), { found: false })
      api.installCompanion()
      assert.deepEqual(await findCompanion(search, need, 'require'), { found: true })
    })

    it('lets an API server that fails speak for itself', async () => {
      await start()
      api.faults.next(ROOT, { kind: 'status', status: 401, reason: 'Unauthorized' })
      await assert.rejects(findCompanion(search, need, 'require'), { code: 'KUBE_UNAUTHORIZED' })
    })
  })
})
