import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPinned, packageFiles, pinnedPackage, runtimeCache } from '../../../scripts/release/runtimes.ts'
import { TARGETS } from '../../../scripts/release/targets.ts'
import { writeTarGz } from '../../../scripts/release/tar.ts'

const lockFile = await readFile(new URL('../../../package-lock.json', import.meta.url), 'utf8')

describe('runtimes of other platforms', () => {
  it('are all pinned by the lock file', () => {
    for (const { runtime } of TARGETS) {
      assert.match(pinnedPackage(lockFile, runtime.package).integrity, /^sha512-/, runtime.package)
    }
  })

  it('are refused where the lock file says nothing or something weaker', () => {
    const weak = JSON.stringify({
      packages: { 'node_modules/x': { version: '1.0.0', integrity: 'sha1-abc' } },
    })
    assert.throws(() => pinnedPackage(weak, 'x'), /does not pin x by sha512/)
    assert.throws(() => pinnedPackage(weak, 'y'), /does not pin y by sha512/)
  })

  it('come from the cache when they are what is pinned', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'deckwatch-runtimes-'))
    try {
      const data = Buffer.from('runtime')
      const archive = await writeTarGz([{ name: 'package/bin/bun', mode: 0o755, data }])
      const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`
      const pinned = { name: '@oven/x', version: '1.0.0', integrity }
      await writeFile(join(folder, '-oven-x-1.0.0.tgz'), archive)
      assert.deepEqual([...(await packageFiles(folder, pinned))], [['bin/bun', data]])
      archive.writeUInt8(archive.readUInt8(20) ^ 1, 20)
      assert.equal(isPinned(archive, pinned), false)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('are kept in the cache folder of the XDG specification', () => {
    assert.equal(runtimeCache({ XDG_CACHE_HOME: '/c' }), join('/c', 'deckwatch', 'runtimes'))
    assert.match(runtimeCache({ XDG_CACHE_HOME: 'relative' }), /[\\/]\.cache[\\/]deckwatch[\\/]runtimes$/)
  })
})
