import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepareData } from '../../../server/kit/prepare-data.ts'
import { skip } from '../../kit/skip.ts'

describe('the folder of the data', () => {
  let root: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'deckwatch-data-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const ownerOf = (path: string) => {
    const { uid, gid } = lstatSync(path)
    return `${uid}:${gid}`
  }

  it('is made where it is missing, and may be prepared again', async () => {
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    await prepareData(join(root, 'a', 'b'), owner)
    await prepareData(join(root, 'a', 'b'), owner)
    assert.ok(lstatSync(join(root, 'a', 'b')).isDirectory())
  })

  it('is given away with all that is in it by a root that may do nothing but CHOWN', function () {
    if (process.getuid?.() !== 0) skip(this, 'only root can give files away')
    const folder = join(root, 'data')
    mkdirSync(join(folder, 'closed'), { recursive: true })
    writeFileSync(join(folder, 'closed', 'image-graph.sqlite'), '')
    symlinkSync('/etc/hostname', join(folder, 'link'))
    const first = prepareAs('0', folder)
    assert.equal(first.status, 0, first.stderr)
    // What others made and closed, such as the companion itself before.
    chmodSync(join(folder, 'closed'), 0o700)
    const again = prepareAs('7', folder)
    assert.equal(again.status, 0, again.stderr)
    const expected = '7:7'
    for (const path of ['', 'closed', 'closed/image-graph.sqlite', 'link']) {
      assert.equal(ownerOf(join(folder, path)), expected, path)
    }
    assert.notEqual(ownerOf('/etc/hostname'), expected)
  })
})

/** Runs the program as uid 0 without any capability but CHOWN, as the init container does. */
function prepareAs(id: string, folder: string) {
  const main = fileURLToPath(new URL('../../../server/main.ts', import.meta.url))
  const confined = [
    '--bounding-set=-all,+chown',
    '--inh-caps=-all',
    '--reuid=0',
    '--regid=0',
    '--clear-groups',
  ]
  const program = [process.execPath, main, 'prepare-data', '--data', folder, '--owner', `${id}:${id}`]
  return spawnSync('setpriv', [...confined, ...program], { encoding: 'utf8' })
}
