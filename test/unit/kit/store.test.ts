import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { openStore } from '../../../server/kit/store/open-store.ts'
import { type Migration, type Store, StoreFull } from '../../../server/kit/store/store.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { skip } from '../../kit/skip.ts'

const NUMBERS: Migration = { name: 'numbers', sql: 'CREATE TABLE number (n INTEGER PRIMARY KEY, text TEXT)' }
const COLOURS: Migration = { name: 'colours', sql: 'ALTER TABLE number ADD COLUMN colour TEXT' }
const NAMES: Migration = { name: 'names', sql: 'CREATE TABLE name (name TEXT)' }

describe('the store', () => {
  let folder: string
  let log = recordedLog()
  const opened: Store[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-store-'))
    log = recordedLog()
  })
  afterEach(() => {
    for (const store of opened.splice(0)) store.close()
    rmSync(folder, { recursive: true })
  })

  const open = (migrations: readonly Migration[] = [NUMBERS]): Store => {
    const options = { folder, name: 'numbers', migrations }
    const store = openStore(options, { clock: new ManualClock(), log, lockWaitMs: 0 })
    opened.push(store)
    return store
  }
  const insert = (store: Store, from: number, to: number): void =>
    store.write(() => {
      for (let n = from; n <= to; n++)
        store.statement('INSERT INTO number (n, text) VALUES (?, ?)').run(n, `${n}`)
    })
  const numbers = (store: Store): number[] =>
    store
      .statement('SELECT n FROM number ORDER BY n')
      .all()
      .map((row) => Number(row['n']))
  const files = (): string[] => readdirSync(folder).toSorted()

  it('keeps what was written, in pages that can be given back, with every commit on the disk', () => {
    const store = open()
    insert(store, 1, 3)
    const pragma = (name: string) => store.statement(`PRAGMA ${name}`).get()?.[name]
    assert.deepEqual(
      ['page_size', 'auto_vacuum', 'journal_mode', 'synchronous', 'user_version'].map(pragma),
      [8192, 2, 'wal', 2, 1],
    )
    store.close()
    assert.deepEqual(numbers(open()), [1, 2, 3])
  })

  it('rolls a write back that throws, and goes on', () => {
    const store = open()
    assert.throws(
      () =>
        store.write(() => {
          store.statement('INSERT INTO number (n) VALUES (1)').run()
          throw new Error('changed its mind')
        }),
      /changed its mind/,
    )
    insert(store, 2, 2)
    assert.deepEqual(numbers(store), [2])
  })

  it('measures what is in use, and gives freed pages back', () => {
    const store = open()
    insert(store, 1, 20_000)
    const full = store.usedBytes()
    store.write(() => store.statement('DELETE FROM number WHERE n > 10').run())
    assert.ok(store.usedBytes() < full / 4, `${store.usedBytes()} of ${full}`)
    const size = () => Number(store.statement('PRAGMA page_count').get()?.['page_count'])
    const before = size()
    store.vacuum(10)
    assert.equal(size(), before - 10)
    store.vacuum(100_000)
    assert.equal(size() * 8192, store.usedBytes())
  })

  it('says which file it uses for what: nothing is left of a closed store but the file and its lock', () => {
    open().close()
    assert.deepEqual(files(), ['numbers.lock', 'numbers.sqlite'])
  })

  describe('of an earlier version', () => {
    it('is migrated step by step after a backup, of which the latest is kept', () => {
      const first = open([NUMBERS])
      insert(first, 1, 2)
      first.close()
      open([NUMBERS, COLOURS]).close()
      assert.deepEqual(files(), ['numbers.backup-schema-1.sqlite', 'numbers.lock', 'numbers.sqlite'])
      const third = open([NUMBERS, COLOURS, NAMES])
      assert.deepEqual(
        third
          .statement('SELECT * FROM number')
          .all()
          .map((row) => ({ ...row })),
        [
          { n: 1, text: '1', colour: null },
          { n: 2, text: '2', colour: null },
        ],
      )
      third.close()
      assert.deepEqual(files(), ['numbers.backup-schema-2.sqlite', 'numbers.lock', 'numbers.sqlite'])
      const backup = new DatabaseSync(join(folder, 'numbers.backup-schema-2.sqlite'), { readOnly: true })
      assert.equal(backup.prepare('PRAGMA user_version').get()?.['user_version'], 2)
      assert.equal(backup.prepare('SELECT count(*) AS n FROM number').get()?.['n'], 2)
      backup.close()
    })

    it('stays at the last step that worked when one does not', () => {
      insert(open(), 1, 1)
      opened.pop()?.close()
      const broken: Migration = { name: 'broken', sql: 'CREATE TABLE half (a); CREATE TABLE half (b)' }
      assert.throws(() => open([NUMBERS, COLOURS, broken]), /cannot open the store .*numbers.sqlite: .*half/)
      const store = open([NUMBERS, COLOURS])
      assert.equal(store.statement('PRAGMA user_version').get()?.['user_version'], 2)
      assert.deepEqual(numbers(store), [1])
      assert.throws(() => store.statement('SELECT * FROM half'), /no such table/)
    })
  })

  it('of a later version is refused and not touched, be it damaged', () => {
    open([NUMBERS, COLOURS, NAMES]).close()
    const file = join(folder, 'numbers.sqlite')
    const before = readFileSync(file)
    assert.throws(
      () => open([NUMBERS]),
      (error) =>
        error instanceof DeckError &&
        error.code === 'STORE_NEWER' &&
        /its schema is 3, this version knows 1/.test(error.message),
    )
    assert.deepEqual(readFileSync(file), before)
    overwrite(file, before.length - 8192, Buffer.alloc(8192, 0xa5))
    assert.throws(
      () => open([NUMBERS]),
      (error) => error instanceof DeckError && error.code === 'STORE_NEWER',
    )
    assert.deepEqual(files(), ['numbers.lock', 'numbers.sqlite'])
  })

  it('is opened by one at a time, and by the next once it is closed', () => {
    const store = open()
    assert.throws(
      () => open(),
      (error) =>
        error instanceof DeckError && error.code === 'STORE_LOCKED' && /numbers\.lock/.test(error.message),
    )
    store.close()
    open()
  })

  it('says what the folder must be where it cannot be used', () => {
    const file = join(folder, 'file')
    closeSync(openSync(file, 'w'))
    assert.throws(
      () => openStore({ folder: file, name: 'x', migrations: [] }, { clock: new ManualClock(), log }),
      (error) =>
        error instanceof DeckError && error.code === 'STORE_FAILED' && /--data/.test(error.hint ?? ''),
    )
  })

  describe('that is damaged', () => {
    const fill = (): { file: string; count: number } => {
      const store = open()
      insert(store, 1, 20_000)
      store.close()
      return { file: join(folder, 'numbers.sqlite'), count: 20_000 }
    }

    it('is set aside under the time, said, and begun anew', () => {
      const { file } = fill()
      overwrite(file, 0, Buffer.from('this is no database at all'))
      const store = open()
      const aside = join(folder, 'numbers.damaged-2026-11-21T02-14-07Z.sqlite')
      assert.equal(store.setAside?.file, aside)
      assert.match(store.setAside?.reason ?? '', /not a database/)
      assert.equal(readFileSync(aside, 'latin1').slice(0, 15), 'this is no data')
      assert.deepEqual(numbers(store), [])
      const said = log.lines.find(({ level }) => level === 'error')
      assert.match(said?.message ?? '', /set aside/)
      assert.equal(said?.fields['file'], aside)
      store.close()
      assert.equal(open().setAside, undefined)
    })

    it('keeps the latest of several that were set aside', () => {
      for (let round = 0; round < 3; round++) {
        const { file } = fill()
        overwrite(file, 0, Buffer.from('this is no database at all'))
      }
      open()
      assert.equal(files().filter((name) => name.startsWith('numbers.damaged-')).length, 1)
    })

    it('is found out wherever a page was overwritten, or all is there still', () => {
      const { file, count } = fill()
      const sound = readFileSync(file)
      const pages = sound.length / 8192
      fc.assert(
        fc.property(
          fc.array(fc.nat(pages - 1), { minLength: 1, maxLength: 5 }),
          fc.uint8Array({ minLength: 64, maxLength: 64 }),
          (damaged, noise) => {
            overwrite(file, 0, sound)
            const page = Buffer.alloc(8192, Buffer.from(noise))
            for (const at of damaged) overwrite(file, at * 8192, page)
            const store = open()
            const found = numbers(store)
            assert.equal(found.length, store.setAside ? 0 : count)
            // It is whole again, whatever was found.
            store.write(() => store.statement('DELETE FROM number').run())
            insert(store, 1, count)
            store.close()
          },
        ),
        { numRuns: 25 },
      )
    })

    it('is found out where the end is cut off', () => {
      const { file } = fill()
      const cut = readFileSync(file).subarray(0, statSync(file).size - 3 * 8192)
      rmSync(file)
      overwrite(file, 0, cut)
      assert.ok(open().setAside)
    })

    it('is found out where nothing is left of the file, or a folder is in its place', () => {
      const { file } = fill()
      rmSync(file)
      overwrite(file, 0, new Uint8Array(101))
      truncateSync(file)
      assert.match(open().setAside?.reason ?? '', /the file is empty/)
      for (const store of opened.splice(0)) store.close()
      for (let round = 0; round < 2; round++) {
        rmSync(file)
        mkdirSync(join(file, 'lost+found'), { recursive: true })
        const store = open()
        assert.match(store.setAside?.reason ?? '', /no file/)
        insert(store, 1, 10)
        store.close()
      }
      assert.equal(files().filter((name) => name.startsWith('numbers.damaged-')).length, 1)
    })

    it('only while it runs is set aside at the next start', () => {
      const { file } = fill()
      const store = open()
      // Behind the back of SQLite, which has not read these pages yet.
      for (let at = 8192; at < statSync(file).size; at += 8192) overwrite(file, at, Buffer.alloc(8192, 0x5a))
      assert.throws(
        () => store.write(() => store.statement('DELETE FROM number WHERE n > 1000').run()),
        /malformed/,
      )
      store.close()
      assert.match(open().setAside?.reason ?? '', /malformed/)
    })
  })

  it('loses nothing that it had acknowledged to kill -9', async function () {
    this.timeout(60_000)
    let kept = 0
    for (let round = 0; round < 6; round++) {
      const acknowledged = await writeUntilKilled(folder, 20 + round * 37)
      assert.ok(acknowledged > kept, 'the writer got nowhere')
      const store = open()
      const found = numbers(store)
      assert.equal(store.setAside, undefined)
      assert.ok(found.length >= acknowledged, `${found.length} of ${acknowledged} acknowledged`)
      assert.equal(found.length % 3, 0, 'half of a transaction')
      assert.equal(found.at(-1), found.length, 'a gap')
      store.close()
      kept = found.length
    }
  })

  it('on a full disk keeps what it has, says so, and goes on when there is space again', async function () {
    this.timeout(60_000)
    if (process.getuid?.() !== 0) skip(this, 'only root may mount a small file system')
    const program = fileURLToPath(new URL('store-on-full-disk.ts', import.meta.url))
    const mounted = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1"'
    const argv = ['--mount', 'sh', '-c', mounted, 'sh', folder, process.execPath, program]
    const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' })
    if (status !== 0 && /unshare failed|permission denied|not permitted/i.test(stderr)) {
      skip(this, `no file system may be mounted here: ${stderr.trim()}`)
    }
    assert.equal(status, 0, stderr)
    const seen = JSON.parse(stdout) as Record<string, unknown> & { inAll: number; kept: number }
    assert.ok(seen.kept > 0)
    assert.deepEqual(seen, {
      kept: seen.kept,
      full: true,
      readable: seen.kept,
      stillFull: true,
      inAll: seen.inAll,
      reopened: { rows: seen.inAll },
      recovered: seen.inAll + 2,
      check: { integrity_check: 'ok' },
    })
  })

  it('tells a full store from other failures', () => {
    const store = open()
    store.database.exec('PRAGMA max_page_count = 4')
    assert.throws(() => insert(store, 1, 20_000), StoreFull)
    assert.deepEqual(numbers(store), [])
    assert.throws(
      () => store.write(() => store.database.exec('INSERT INTO nowhere VALUES (1)')),
      (error) => !(error instanceof StoreFull),
    )
  })
})

function overwrite(file: string, position: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, position === 0 && bytes.length > 100 ? 'w' : 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, position)
  closeSync(descriptor)
}

/** Runs the writer until it has acknowledged so many rows, and kills it; gives the last number that it printed. */
async function writeUntilKilled(folder: string, rows: number): Promise<number> {
  const program = fileURLToPath(new URL('store-writer.ts', import.meta.url))
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  let seen = 0
  for await (const chunk of child.stdout) {
    printed += String(chunk)
    seen += String(chunk).split('\n').length - 1
    if (seen * 3 >= rows) child.kill('SIGKILL')
  }
  return Number(printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1))
}
