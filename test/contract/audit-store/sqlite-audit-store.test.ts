import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AuditStore } from '../../../server/audit-log/store/audit-store.ts'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { mountSmallDisk } from '../../kit/small-disk.ts'
import { auditStoreSuite, type StoreFixture } from './audit-store-suite.ts'
import { everything } from '../../kit/sample-change.ts'
import { batch, change, deployment } from './sample-changes.ts'

const PROGRAM = fileURLToPath(new URL('store-writer.ts', import.meta.url))

describe('the audit log in SQLite', () => {
  let folder: string
  const open = (clock: Pick<ManualClock, 'now' | 'sleep'> = systemClock): Promise<AuditStore> =>
    openAuditStore({ folder, url: '' }, { clock, log: recordedLog() })

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-audit-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  describe('as any store', () => {
    auditStoreSuite(async (): Promise<StoreFixture> => {
      let store = await open()
      return {
        store,
        async reopen() {
          await store.close()
          store = await open()
          return store
        },
        async bytes() {
          return Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))))
        },
        remove: () => store.close(),
      }
    })
  })

  /** Every seq up to the last is there, with the position that was written with it. */
  async function assertWhole(store: AuditStore, atLeast: number): Promise<number> {
    const seq = (await store.position(7))?.seq ?? 0
    assert.ok(seq >= atLeast, `${seq} of at least ${atLeast}`)
    assert.equal(await store.count(everything()), seq)
    assert.equal((await store.get({ writer: 7, seq }))?.id.seq, seq)
    assert.equal((await store.knownObject('uid-of-web'))?.hash, String(seq))
    const { number, begins } = await store.state()
    assert.equal(number - Math.floor(begins / 1000) * 1_000_000, seq)
    return seq
  }

  it('keeps what it said it kept when it is killed in the middle, and nothing by halves', async () => {
    let kept = 0
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, [PROGRAM, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
      let said = kept
      let lines = 0
      for await (const line of createInterface(child.stdout)) {
        said = Number(line)
        if (++lines === 20 + round * 7) child.kill('SIGKILL')
      }
      const store = await open()
      kept = await assertWhole(store, said)
      await store.close()
    }
  })

  it('on a full disk keeps nothing by halves, and goes on once there is space', async function () {
    const disk = await mountSmallDisk(this, join(folder, 'disk'), 48_000_000)
    try {
      const argv = [...disk.enter, process.execPath, PROGRAM, disk.folder, '2']
      const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
      const ended = once(child, 'close')
      let full = 0
      let said = 0
      for await (const line of createInterface(child.stdout)) {
        if (line !== 'full') {
          said = Number(line)
          if (said === 60) disk.fill()
          continue
        }
        full += 1
        // The first time it is tried again while the disk is still full.
        if (full === 2) disk.free()
        child.stdin.write('go on\n')
      }
      assert.deepEqual(await ended, [0, null])
      assert.equal(full, 2)
      const copy = join(folder, 'copy')
      const files = spawn(disk.enter[0] ?? '', [...disk.enter.slice(1), 'cp', '-r', disk.folder, copy])
      await once(files, 'close')
      const store = await openAuditStore(
        { folder: copy, url: '' },
        { clock: systemClock, log: recordedLog() },
      )
      await assertWhole(store, said)
      await store.close()
    } finally {
      await disk.unmount()
    }
  })

  it('sets a damaged file aside, begins with higher numbers, and says so', async () => {
    const clock = new ManualClock()
    const first = await open(clock)
    const added = Array.from({ length: 300 }, (_, i) =>
      change(i + 1, { changes: [{ path: 'a', op: 'add', to: String(Math.sin(i)).repeat(40) }] }),
    )
    const { number } = await first.commit(batch({ added }))
    await first.close()
    const file = join(folder, 'audit-log.sqlite')
    const descriptor = openSync(file, 'r+')
    for (let at = 8192; at < statSync(file).size; at += 8192)
      writeSync(descriptor, Buffer.alloc(200, 0xa5), 0, 200, at)
    closeSync(descriptor)
    await clock.advance(60_000)
    const store = await open(clock)
    const state = await store.state()
    assert.match(state.setAside ?? '', /./)
    assert.ok(state.number > number)
    assert.equal(state.begins, clock.now())
    assert.equal(await store.count(everything()), 0)
    await store.commit(batch({ added: [change(1)] }))
    await store.close()
    assert.ok(readdirSync(folder).some((name) => name.startsWith('audit-log.damaged-')))
  })

  it('purges copies that were set aside too', async () => {
    for (const copy of ['audit-log.backup-schema-1.sqlite', 'audit-log.damaged-2026-11-21T12-00-00Z.sqlite'])
      writeFileSync(join(folder, copy), 'hunter2')
    writeFileSync(join(folder, 'another.sqlite'), '')
    const store = await open()
    await store.commit(batch({ added: [change(1, { object: deployment('web') })] }))
    await store.purge({
      group: 'apps',
      resource: 'deployments',
      namespace: 'shop',
      name: 'web',
      path: undefined,
    })
    assert.equal(await store.scrub(), undefined)
    await store.close()
    assert.deepEqual(readdirSync(folder).toSorted(), ['another.sqlite', 'audit-log.lock', 'audit-log.sqlite'])
  })
})
