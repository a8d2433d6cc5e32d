import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createHealth, type Probe } from '../../../server/kit/health.ts'
import { companionStatus, createStatus } from '../../../server/kit/status.ts'
import { spaceOf } from '../../../server/kit/volume.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const probe = (name: string, ready: boolean, alive = true): Probe => ({
  name,
  ready: () => ({ ok: ready, reason: ready ? 'all is known' : 'listing pods' }),
  alive: () => ({ ok: alive, reason: alive ? 'at work' : 'no step for a minute' }),
})

describe('the health of a process', () => {
  it('is what every probe is, and short while all is well', () => {
    const health = createHealth([probe('api', true), probe('image-graph', true)])
    assert.deepEqual(health.answer('readyz', { verbose: false }), { ok: true, text: 'ok' })
    assert.deepEqual(health.answer('readyz', { verbose: true }), {
      ok: true,
      text: '[+]api all is known\n[+]image-graph all is known\nreadyz check passed\n',
    })
  })

  it('names what is not well and why, without being asked to', () => {
    const health = createHealth([probe('api', true), probe('image-graph', false)])
    assert.deepEqual(health.answer('readyz', { verbose: false }), {
      ok: false,
      text: '[+]api all is known\n[-]image-graph listing pods\nreadyz check failed\n',
    })
    assert.deepEqual(health.answer('livez', { verbose: false }), { ok: true, text: 'ok' })
  })

  it('is not alive where one is not', () => {
    const { ok, text } = createHealth([probe('api', true, false)]).answer('livez', { verbose: false })
    assert.equal(ok, false)
    assert.match(text, /^\[-\]api no step for a minute\nlivez check failed/)
  })

  it('is nothing to complain of without probes', () => {
    assert.equal(createHealth([]).answer('livez', { verbose: false }).ok, true)
  })
})

describe('the status of a pod', () => {
  const parts = {
    version: '1.2.3',
    pod: 'deckwatch-0',
    startedAt: Date.UTC(2026, 10, 21, 2, 14, 7),
    folder: undefined,
    certificates: () => [],
  }

  it('tells of each component whether it is ready, why not, and what it keeps', async () => {
    const store = {
      usedBytes: 5,
      limitBytes: 10,
      oldest: Date.UTC(2026, 10, 20),
      bytesPerDay: 7,
    }
    const status = await companionStatus({
      ...parts,
      components: [
        probe('api', true),
        { ...probe('image-graph', false), storeUsage: () => store },
        {
          ...probe('audit-log', true, false),
          storeUsage: () => ({ ...store, oldest: undefined, bytesPerDay: undefined }),
        },
      ],
    })
    assert.deepEqual(status, {
      version: '1.2.3',
      pod: 'deckwatch-0',
      startedAt: '2026-11-21T02:14:07Z',
      components: [
        { name: 'api', ready: true, alive: true, reason: 'all is known' },
        {
          name: 'image-graph',
          ready: false,
          alive: true,
          reason: 'listing pods',
          store: { usedBytes: 5, limitBytes: 10, oldest: '2026-11-20T00:00:00Z', bytesPerDay: 7 },
        },
        {
          name: 'audit-log',
          ready: true,
          alive: false,
          reason: 'no step for a minute',
          store: { usedBytes: 5, limitBytes: 10 },
        },
      ],
      certificates: [],
    })
  })

  it('is looked up once a second, however often anybody asks', async () => {
    const clock = new ManualClock()
    let looks = 0
    const storeUsage = () => {
      looks += 1
      return { usedBytes: looks, limitBytes: 10, oldest: undefined, bytesPerDay: undefined }
    }
    const status = createStatus(
      () => ({ ...parts, components: [{ ...probe('image-graph', true), storeUsage }] }),
      clock,
    )
    await Promise.all(Array.from({ length: 100 }, () => status()))
    assert.equal((await status()).components[0]?.store?.usedBytes, 1)
    await clock.advance(1000)
    assert.equal((await status()).components[0]?.store?.usedBytes, 2)
    assert.equal(looks, 2)
  })

  it('takes what is kept for root, or by a quota, for no space of the volume: a disk with much left is not nearly full', () => {
    const space = spaceOf({ bsize: 4096, blocks: 1000, bfree: 870, bavail: 90 })
    assert.deepEqual(space, { sizeBytes: 220 * 4096, freeBytes: 90 * 4096 })
  })

  it('tells the size of the volume where there is one', async () => {
    const { volume } = await companionStatus({ ...parts, components: [], folder: tmpdir() })
    const { blocks, bsize } = statfsSync(tmpdir())
    assert.ok(volume && volume.sizeBytes > 0 && volume.sizeBytes <= blocks * bsize)
    assert.ok(volume.freeBytes > 0 && volume.freeBytes <= volume.sizeBytes)
    const nowhere = await companionStatus({ ...parts, components: [], folder: '/does/not/exist' })
    assert.equal('volume' in nowhere, false)
  })
})
