import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readTar, writeTar, writeTarGz } from '../../../scripts/release/tar.ts'
import { writeZip } from '../../../scripts/release/zip.ts'
import type { ArchiveEntry } from '../../../scripts/release/archive-entry.ts'
import { needCommand } from '../../kit/debian-package.ts'

const ENTRIES: readonly ArchiveEntry[] = [
  { name: 'deckwatch', mode: 0o755, data: Buffer.alloc(70_001, 'program ') },
  { name: 'LICENSE', mode: 0o644, data: Buffer.from('licence\n') },
  { name: 'bin/empty', mode: 0o644, data: Buffer.alloc(0) },
]

describe('archives of a release', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'deckwatch-archive-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  const assertUnpacked = (): void => {
    for (const { name, mode, data } of ENTRIES) {
      assert.deepEqual(readFileSync(join(folder, name)), data, name)
      assert.equal(statSync(join(folder, name)).mode & 0o777, mode, name)
      assert.equal(statSync(join(folder, name)).mtime.toISOString(), '1980-01-01T00:00:00.000Z', name)
    }
  }

  it('as tar.gz are unpacked by the system’s tar with names, modes, times and contents', async function () {
    needCommand(this, 'tar', ['tar'])
    writeFileSync(join(folder, 'a.tar.gz'), await writeTarGz(ENTRIES))
    const { status, stderr } = spawnSync('tar', ['xzpf', 'a.tar.gz'], { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assertUnpacked()
    const listing = spawnSync('tar', ['tvzf', 'a.tar.gz', '--numeric-owner'], {
      cwd: folder,
      encoding: 'utf8',
    }).stdout
    assert.match(
      listing,
      /^-rw-r--r-- 0\/0 .* LICENSE\n-rw-r--r-- 0\/0 .* bin\/empty\n-rwxr-xr-x 0\/0 .* deckwatch\n$/,
    )
  })

  it('as zip are unpacked by unzip with names, modes, times and contents', async function () {
    needCommand(this, 'unzip', ['unzip'])
    writeFileSync(join(folder, 'a.zip'), await writeZip(ENTRIES))
    const { status, stdout } = spawnSync('unzip', ['a.zip'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    })
    assert.equal(status, 0, stdout)
    assertUnpacked()
  })

  it('do not depend on the order of their entries', async () => {
    assert.deepEqual(await writeTarGz(ENTRIES.toReversed()), await writeTarGz(ENTRIES))
    assert.deepEqual(await writeZip(ENTRIES.toReversed()), await writeZip(ENTRIES))
  })

  it('name no system in the gzip header, so that every builder gives the same bytes', async () => {
    const archive = await writeTarGz(ENTRIES)
    assert.deepEqual([...archive.subarray(4, 10)], [0, 0, 0, 0, 2, 255])
    assert.deepEqual(gunzipSync(archive), writeTar(ENTRIES))
  })

  it('are read back by our own reader', () => {
    assert.deepEqual(
      [...readTar(writeTar(ENTRIES))],
      ENTRIES.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    )
  })

  it('refuse names that ustar cannot hold, and readers refuse an archive that was cut', () => {
    const entry = { name: 'x'.repeat(101), mode: 0o644, data: Buffer.alloc(0) }
    assert.throws(() => writeTar([entry]), /too long a name/)
    assert.throws(() => [...readTar(writeTar(ENTRIES).subarray(0, 2048))], /cut short/)
  })
})
