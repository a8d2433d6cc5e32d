import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemDisk } from '../../../server/audit-log/journal/journal-disk.ts'
import { JournalFull } from '../../../server/audit-log/journal/journal.ts'
import { createJournalReader } from '../../../server/audit-log/journal/journal-reader.ts'
import { skip } from '../../kit/skip.ts'
import { diskWith, entriesOf, journalEntry, JournalWorld, noSpace } from './journal-world.ts'

describe('the journal of reviews', () => {
  let world: JournalWorld

  beforeEach(() => {
    world = new JournalWorld()
  })

  afterEach(() => world.end())

  const segments = (): string[] =>
    readdirSync(world.folder)
      .filter((name) => name.endsWith('.journal'))
      .toSorted()
  const path = (name = ''): string => join(world.folder, name)

  it('gives back what was appended, in order and whole', async () => {
    const journal = world.open()
    const seqs = await Promise.all(
      [1, 2, 3].map((number) => journal.append(journalEntry(number, number * 400))),
    )
    assert.deepEqual(seqs, [1, 2, 3])
    assert.deepEqual(
      world.readAll(journal.progress),
      [1, 2, 3].map((number) => ({ seq: number, ...journalEntry(number, number * 400) })),
    )
    assert.equal(journal.synced, 3)
    assert.equal(journal.bytes, journal.progress.position.offset)
  })

  it('goes on from where a reader was, over many segments', async () => {
    const journal = world.open({ segmentBytes: 2000 })
    for (let number = 1; number <= 30; number++) await journal.append(journalEntry(number, 300))
    assert.ok(segments().length > 3)
    const reader = createJournalReader({ folder: world.folder, progress: journal.progress, log: world.log })
    const all = [...entriesOf(reader)]
    assert.deepEqual(
      all.map(({ entry }) => entry.seq),
      Array.from({ length: 30 }, (_, i) => i + 1),
    )
    for (const [i, { end }] of all.entries()) {
      const next = [...entriesOf(reader, end)]
      assert.deepEqual(
        next.map(({ entry }) => entry.seq),
        all.slice(i + 1).map(({ entry }) => entry.seq),
      )
    }
  })

  it('writes what waits together, without a timer', async () => {
    let writes = 0
    const held = Promise.withResolvers<void>()
    const disk = diskWith({
      async write(...call) {
        writes += 1
        if (writes === 1) await held.promise
        return systemDisk.write(...call)
      },
    })
    const journal = world.open({ disk })
    const first = journal.append(journalEntry(1))
    await turn()
    const others = Array.from({ length: 50 }, (_, i) => journal.append(journalEntry(i + 2)))
    held.resolve()
    assert.equal(await first, 1)
    assert.deepEqual(
      await Promise.all(others),
      Array.from({ length: 50 }, (_, i) => i + 2),
    )
    assert.equal(writes, 2)
  })

  it('lets nothing be read, and tells nobody, before it is durable', async () => {
    const held = Promise.withResolvers<void>()
    const began = Promise.withResolvers<void>()
    const disk = diskWith({
      async write(...call) {
        const written = await systemDisk.write(...call)
        began.resolve()
        await held.promise
        return written
      },
    })
    const journal = world.open({ disk })
    let told = false
    const appended = journal.append(journalEntry(1)).then(() => (told = true))
    await began.promise
    await turn()
    assert.deepEqual(world.readAll(journal.progress), [])
    assert.equal(told, false)
    assert.equal(journal.synced, 0)
    held.resolve()
    await appended
    assert.equal(world.readAll(journal.progress).length, 1)
  })

  it('rule 1: never appends to an old segment after a restart, and goes on with writer and numbers', async () => {
    const first = world.open()
    await first.append(journalEntry(1))
    await world.close(first)
    const [old = ''] = segments()
    const before = readFileSync(path(old))
    const second = world.open({ newWriter: () => assert.fail('the journal has its writer') })
    assert.equal(second.writer, 4711)
    assert.equal(second.synced, 1)
    assert.equal(await second.append(journalEntry(2)), 2)
    assert.deepEqual(readFileSync(path(old)), before)
    assert.equal(segments().length, 2)
    assert.deepEqual(
      world.readAll(second.progress).map(({ seq }) => seq),
      [1, 2],
    )
  })

  it('rule 2: stops at the first bad record of a segment, counts it, and goes on with the next segment', async () => {
    const first = world.open()
    for (let number = 1; number <= 5; number++) await first.append(journalEntry(number, 200))
    await world.close(first)
    const [old = ''] = segments()
    const bytes = readFileSync(path(old))
    const place = Math.floor(first.progress.position.offset * 0.7)
    bytes.writeUInt8(bytes.readUInt8(place) ^ 0xff, place)
    writeFileSync(path(old), bytes)
    const second = world.open()
    const seq = await second.append(journalEntry(9))
    assert.ok(seq > 5, 'no number is given twice, whatever was lost')
    const reader = createJournalReader({ folder: world.folder, progress: second.progress, log: world.log })
    const read = [...entriesOf(reader)].map(({ entry }) => entry.request.uid)
    assert.deepEqual(read, ['review-1', 'review-2', 'review-3', 'review-9'])
    assert.equal(reader.damaged, 1)
  })

  it('rule 2: a record that was cut by the end of the process is none', async () => {
    const first = world.open()
    for (let number = 1; number <= 3; number++) await first.append(journalEntry(number))
    await world.close(first)
    const [old = ''] = segments()
    truncateSync(path(old), first.progress.position.offset - 7)
    const second = world.open()
    await second.append(journalEntry(4))
    assert.deepEqual(
      world.readAll(second.progress).map(({ request }) => request.uid),
      ['review-1', 'review-2', 'review-4'],
    )
  })

  it('rule 2: bytes of zero behind the last record are none, and no damage', async () => {
    const first = world.open({ segmentBytes: 5000 })
    await first.append(journalEntry(1))
    const written = first.bytes
    assert.equal(statSync(path(segments()[0])).size, 5000)
    await world.close(first)
    // As a killed process leaves it.
    truncateSync(path(segments()[0]), 5000)
    const second = world.open()
    assert.equal(second.bytes, written)
    assert.equal(await second.append(journalEntry(2)), 2)
    const reader = createJournalReader({ folder: world.folder, progress: second.progress, log: world.log })
    assert.deepEqual(
      [...entriesOf(reader)].map(({ entry }) => entry.seq),
      [1, 2],
    )
    assert.equal(reader.damaged, 0)
    assert.deepEqual(world.log.lines, [])
  })

  it('takes of the disk, and counts, what was written and not what was prepared', async () => {
    const journal = world.open({ segmentBytes: 50_000 })
    await journal.append(journalEntry(1))
    const one = journal.bytes
    await journal.seal()
    const header = journal.bytes - one
    assert.ok(header > 0 && header < 100, `${header}`)
    await journal.append(journalEntry(2))
    const both = journal.bytes
    await world.close(journal)
    const sizes = segments().map((name) => statSync(path(name)).size)
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      both,
    )
    assert.equal(world.open().bytes, both)
    assert.deepEqual(world.log.lines, [])
  })

  it('rule 2: a segment that nothing was written to is no damage', async () => {
    const first = world.open()
    await first.append(journalEntry(1))
    await world.close(first)
    writeFileSync(path('segment-0000000002.journal'), Buffer.alloc(5000))
    const second = world.open()
    assert.equal(await second.append(journalEntry(2)), 2)
    const reader = createJournalReader({ folder: world.folder, progress: second.progress, log: world.log })
    assert.deepEqual(
      [...entriesOf(reader)].map(({ entry }) => entry.seq),
      [1, 2],
    )
    assert.equal(reader.damaged, 0)
  })

  it('rule 3: syncs the folder after it made a segment, before it tells anybody', async () => {
    const calls: string[] = []
    const disk = diskWith({
      adopt: (...call) => (calls.push('segment'), systemDisk.adopt(...call)),
      write: (...call) => (calls.push('write'), systemDisk.write(...call)),
      syncFolder: (folder) => (calls.push('sync folder'), systemDisk.syncFolder(folder)),
    })
    const journal = world.open({ disk })
    await journal.append(journalEntry(1)).then(() => calls.push('told'))
    await journal.append(journalEntry(2)).then(() => calls.push('told'))
    assert.deepEqual(calls, ['segment', 'write', 'sync folder', 'told', 'write', 'told'])
  })

  it('rule 5: releases whole segments only, and never the newest', async () => {
    const journal = world.open({ segmentBytes: 2000 })
    for (let number = 1; number <= 20; number++) await journal.append(journalEntry(number, 300))
    const reader = createJournalReader({ folder: world.folder, progress: journal.progress, log: world.log })
    const all = [...entriesOf(reader)]
    const middle = all[9]
    assert.ok(middle)
    const { bytes } = journal
    reader.release(middle.end)
    const left = world.readAll(journal.progress).map(({ seq }) => seq)
    assert.ok(left.includes(11) && left.length < 20)
    assert.ok(left.every((seq, i) => i === 0 || seq === (left[i - 1] ?? 0) + 1))
    reader.release({ segment: middle.end.segment + 1000, offset: 0 })
    assert.equal(segments().length, 1)
    await world.clock.advance(1000)
    assert.ok(journal.bytes < bytes)
    await world.close(journal)
    const next = world.open({ newWriter: () => assert.fail('the journal has its writer') })
    assert.equal(await next.append(journalEntry(21)), 21)
  })

  it('is cut by a seal, behind which it goes on, also over a restart, and before which all can be released', async () => {
    const journal = world.open()
    for (const number of [1, 2]) await journal.append(journalEntry(number))
    const appended = [
      journal.append(journalEntry(3)),
      journal.seal(),
      journal.append(journalEntry(4)),
    ] as const
    const sealed = await appended[1]
    const [third, , fourth] = await Promise.all(appended)
    const reader = createJournalReader({ folder: world.folder, progress: journal.progress, log: world.log })
    const all = [...entriesOf(reader)]
    assert.deepEqual(
      all.map(({ entry }) => entry.seq),
      [1, 2, third, fourth].toSorted((one, other) => one - other),
    )
    for (const { entry, end } of all) assert.equal(entry.seq <= sealed.seq, end.segment < sealed.segment)
    const again = await journal.seal()
    assert.equal(again.seq, 4)
    reader.release({ segment: again.segment, offset: 0 })
    assert.equal(segments().length, 1)
    await world.close(journal)
    const next = world.open()
    assert.equal(await next.append(journalEntry(5)), 5)
    assert.deepEqual(
      [...entriesOf(reader, all.at(-1)?.end)].map(({ entry }) => entry.seq),
      [],
    )
    assert.deepEqual(
      world.readAll(next.progress).map(({ seq }) => seq),
      [5],
    )
  })

  it('can be sealed before anything was written', async () => {
    const journal = world.open()
    const sealed = await journal.seal()
    assert.deepEqual([sealed.seq, segments().length], [0, 1])
    assert.equal(await journal.append(journalEntry(1)), 1)
    assert.equal(world.readAll(journal.progress).length, 1)
    await world.close(journal)
    await assert.rejects(journal.seal(), /closed/)
  })

  it('takes no more than its limit, at once and without a number, until some was released', async () => {
    const journal = world.open({ limitBytes: 8000 })
    let kept = 0
    for (;;) {
      const failed = await journal.append(journalEntry(kept + 1, 400)).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (failed) {
        assert.ok(failed instanceof JournalFull)
        break
      }
      kept += 1
    }
    assert.ok(kept > 5 && journal.bytes <= 8000)
    const reader = createJournalReader({ folder: world.folder, progress: journal.progress, log: world.log })
    const last = [...entriesOf(reader)].at(-1)
    assert.ok(last)
    reader.release(last.end)
    await world.clock.advance(1000)
    assert.equal(await journal.append(journalEntry(kept + 1, 400)), kept + 1)
  })

  it('tells of a full disk at once, and goes on when there is space again', async () => {
    let full = false
    let writes = 0
    const disk = diskWith({
      write(file, buffers, offset) {
        writes += 1
        return full ? Promise.reject(noSpace()) : systemDisk.write(file, buffers, offset)
      },
    })
    const journal = world.open({ disk })
    await journal.append(journalEntry(1))
    full = true
    for (let number = 2; number <= 20; number++)
      await assert.rejects(journal.append(journalEntry(number)), JournalFull)
    assert.equal(writes, 2, 'a full disk is not tried for each review')
    full = false
    await world.clock.advance(1000)
    assert.ok((await journal.append(journalEntry(21))) > 1)
    assert.deepEqual(
      world.readAll(journal.progress).map(({ request }) => request.uid),
      ['review-1', 'review-21'],
    )
  })

  it('keeps nothing of what was half written when the disk became full', async () => {
    let left = Infinity
    const disk = diskWith({
      write(file, buffers, offset) {
        const whole = Buffer.concat([...buffers])
        const some = whole.subarray(0, left)
        if (some.length === 0) return Promise.reject(noSpace())
        left -= some.length
        return systemDisk.write(file, [some], offset)
      },
    })
    const journal = world.open({ disk })
    await journal.append(journalEntry(1, 300))
    left = 100
    await assert.rejects(journal.append(journalEntry(2, 300)), JournalFull)
    await assert.rejects(journal.append(journalEntry(3, 300)), JournalFull)
    left = Infinity
    await world.clock.advance(1000)
    await journal.append(journalEntry(4))
    await world.close(journal)
    assert.deepEqual(
      world.readAll().map(({ request }) => request.uid),
      ['review-1', 'review-4'],
    )
  })

  it('keeps nothing that may not be durable, and gives its number to nothing else', async () => {
    let broken = false
    const disk = diskWith({
      async write(...call) {
        const written = await systemDisk.write(...call)
        if (broken) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
        return written
      },
    })
    const journal = world.open({ disk })
    assert.equal(await journal.append(journalEntry(1)), 1)
    broken = true
    await assert.rejects(journal.append(journalEntry(2)), /EIO/)
    broken = false
    assert.equal(await journal.append(journalEntry(3)), 3)
    assert.deepEqual(
      world.readAll(journal.progress).map(({ request }) => request.uid),
      ['review-1', 'review-3'],
    )
  })

  it('keeps on a disk that is really full what it has acknowledged, and goes on when there is space', function () {
    this.timeout(60_000)
    if (process.getuid?.() !== 0) skip(this, 'only root may mount a small file system')
    const program = fileURLToPath(new URL('journal-on-full-disk.ts', import.meta.url))
    const mounted = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1"'
    const argv = ['--mount', 'sh', '-c', mounted, 'sh', world.folder, process.execPath, program]
    const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' })
    if (status !== 0 && /unshare failed|permission denied|not permitted/i.test(stderr)) {
      skip(this, `no file system may be mounted here: ${stderr.trim()}`)
    }
    assert.equal(status, 0, stderr)
    const seen = JSON.parse(stdout) as Record<string, unknown> & { filled: number }
    assert.ok(seen.filled > 20)
    assert.deepEqual(seen, {
      filled: seen.filled,
      full: [true, true, true, true],
      recovered: true,
      lost: [],
      others: 0,
      rising: true,
    })
  })

  it('is opened by one process only', async () => {
    const journal = world.open()
    assert.throws(() => world.open(), { code: 'STORE_LOCKED' })
    await world.close(journal)
    await world.open().append(journalEntry(1))
  })

  it('takes what waits along when it is closed, and nothing afterwards', async () => {
    const journal = world.open()
    const waiting = [journal.append(journalEntry(1)), journal.append(journalEntry(2))]
    await world.close(journal)
    assert.deepEqual(await Promise.all(waiting), [1, 2])
    await assert.rejects(journal.append(journalEntry(3)), /closed/)
    assert.equal(world.readAll().length, 2)
  })

  it('wakes a reader of another thread', async () => {
    const journal = world.open()
    const before = journal.progress.position
    const moved = journal.progress.moved(before, 10_000)
    await journal.append(journalEntry(1))
    await moved
    assert.notDeepEqual(journal.progress.position, before)
  })
})
