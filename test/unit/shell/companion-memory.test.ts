import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { companionMemory, type CompanionMemory } from '../../../src/cli/shell/companion-memory.ts'
import type { CompanionState } from '../../../src/core/kube/companion.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const found: CompanionState = { state: 'found', resources: ['images', 'clusterimages'] }
const SECOND = 1000
const DAY = 24 * 60 * 60 * SECOND

describe('what is remembered of a companion', () => {
  let cache: string
  let clock: ManualClock
  const memory = (server = 'https://one', authority = 'CA', env?: object): CompanionMemory => {
    const trust = { authority: { pem: authority }, insecure: false }
    return companionMemory({ server, trust }, { XDG_CACHE_HOME: cache, ...env }, clock)
  }

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'deckwatch-memory-'))
    clock = new ManualClock()
  })
  afterEach(() => rm(cache, { recursive: true, force: true }))

  it('is nothing at first, and what was kept then, in the next run too', () => {
    assert.equal(memory().recall(), undefined)
    memory().keep(found)
    assert.deepEqual(memory().recall(), found)
  })

  const lasting: [state: CompanionState, seconds: number][] = [
    [found, 600],
    [{ state: 'absent' }, 60],
    [{ state: 'down', reason: 'no endpoints' }, 5],
  ]
  for (const [state, seconds] of lasting) {
    it(`lasts ${seconds} s where it is ${state.state}`, async () => {
      memory().keep(state)
      await clock.advance(seconds * SECOND - 1)
      assert.deepEqual(memory().recall(), state)
      await clock.advance(1)
      assert.equal(memory().recall(), undefined)
    })
  }

  it('is of one cluster: another address or authority has its own', () => {
    memory('https://one').keep(found)
    assert.equal(memory('https://two').recall(), undefined)
    assert.equal(memory('https://one', 'another CA').recall(), undefined)
  })

  it('can be forgotten', () => {
    memory().keep(found)
    memory().forget()
    memory().forget()
    assert.equal(memory().recall(), undefined)
  })

  it('is nothing where the clock was set back', () => {
    memory().keep(found)
    clock = new ManualClock(clock.now() - SECOND)
    assert.equal(memory().recall(), undefined)
  })

  it('is a small file for its owner alone, without the address', async () => {
    memory('https://user:pass@one.example').keep(found)
    const [file = '', ...others] = await readdir(join(cache, 'deckwatch'))
    assert.match(file, /^companion-[0-9a-f]{16}\.json$/)
    assert.deepEqual(others, [])
    const path = join(cache, 'deckwatch', file)
    assert.doesNotMatch(await readFile(path, 'utf8'), /one\.example|pass/)
    assert.equal((await stat(path)).mode & 0o077, 0)
  })

  const spoilt: [what: string, text: string][] = [
    ['half a file', '{"state":{"state":"fou'],
    ['another form', '[]'],
    ['null', 'null'],
    ['a state that another version knows', '{"state":{"state":"elsewhere"},"at":0}'],
    [
      'a state without its resources',
      JSON.stringify({ state: { state: 'found' }, at: Date.UTC(2026, 10, 21, 2) }),
    ],
  ]
  for (const [what, text] of spoilt) {
    it(`is nothing where the file holds ${what}`, async () => {
      memory().keep(found)
      const [file = ''] = await readdir(join(cache, 'deckwatch'))
      await writeFile(join(cache, 'deckwatch', file), text)
      assert.equal(memory().recall(), undefined)
    })
  }

  it('is in ~/.cache where XDG_CACHE_HOME is no absolute path, on Windows in the profile', async () => {
    memory('https://one', 'CA', { XDG_CACHE_HOME: 'relative', HOME: cache }).keep(found)
    assert.deepEqual(await readdir(cache), ['.cache'])
    memory('https://two', 'CA', { XDG_CACHE_HOME: '', HOME: '', USERPROFILE: join(cache, 'profile') }).keep(
      found,
    )
    assert.deepEqual((await readdir(cache)).toSorted(), ['.cache', 'profile'])
  })

  it('lets go of clusters that were not asked for a month, and of nothing else', async () => {
    for (const server of ['https://gone', 'https://one']) memory(server).keep(found)
    const folder = join(cache, 'deckwatch')
    const [first = '', second = ''] = await readdir(folder)
    const old = new Date(Date.now() - 31 * DAY)
    const foreign = ['companion-image', `companion-${'0'.repeat(16)}.json.bak`, 'kubernetes-1.35.lock']
    for (const name of foreign) await writeFile(join(folder, name), '')
    await writeFile(join(folder, `${first}.4711`), '')
    for (const name of [...foreign, first, `${first}.4711`]) await utimes(join(folder, name), old, old)
    memory('https://new').keep(found)
    const left = await readdir(folder)
    assert.equal(left.length, foreign.length + 2)
    for (const name of [...foreign, second]) assert.ok(left.includes(name), name)
  })

  it('is silently nothing where no file can be written', async () => {
    const file = join(cache, 'no-folder')
    await writeFile(file, '')
    for (const env of [{ XDG_CACHE_HOME: file }, { XDG_CACHE_HOME: undefined, HOME: undefined }]) {
      memory('https://one', 'CA', env).keep(found)
      assert.equal(memory('https://one', 'CA', env).recall(), undefined)
    }
  })
})
