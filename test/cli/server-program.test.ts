import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { bundledPackages, renderNotices } from '../../scripts/bundle/notices.ts'
import { bundleServer } from '../../scripts/bundle/server-bundle.ts'
import { skip } from '../kit/skip.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

describe('the companion as a program', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'deckwatch-server-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  const run = (program: string, args: readonly string[]) =>
    spawnSync(program, args, { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'] } })

  it('is started by a launcher that may be linked to from anywhere', function () {
    if (process.platform === 'win32') skip(this, 'needs a POSIX shell')
    const place = join(folder, 'a place', 'bin')
    mkdirSync(place, { recursive: true })
    symlinkSync(join(root, 'dist/bin/deckwatch-server'), join(place, 'companion'))
    const { stdout, stderr } = run(join(place, 'companion'), ['--version'])
    assert.equal(stdout, `deckwatch-server ${version}\n`, stderr)
  })

  it('is one file that needs no other', () => {
    const alone = join(folder, 'server.cjs')
    copyFileSync(join(root, 'dist/deckwatch-server.cjs'), alone)
    const { stdout, stderr } = run(process.execPath, [alone, '--version'])
    assert.equal(stdout, `deckwatch-server ${version}\n`, stderr)
    const wrong = run(process.execPath, [alone, '--components', 'coffee'])
    assert.equal(wrong.status, 2)
    assert.match(wrong.stderr, /components.*coffee/)
  })

  it('comes with the licence of every package in it', async () => {
    const { metafile } = await bundleServer(root)
    const packages = await bundledPackages(root, metafile)
    const names = packages.map(({ name }) => name)
    for (const name of ['pino', 'prom-client', 'zod', '@peculiar/x509', 'yaml']) {
      assert.ok(names.includes(name), `${name} is not among ${names.join(', ')}`)
    }
    assert.equal(
      readFileSync(join(root, 'dist/THIRD-PARTY-NOTICES-server.txt'), 'utf8'),
      renderNotices(packages),
    )
    for (const { name, text } of packages) assert.notEqual(text, '', name)
  })

  it('is the same to the byte for the same sources', async () => {
    const [first, second] = await Promise.all([bundleServer(root), bundleServer(root)])
    assert.ok(first.program.equals(second.program))
    assert.ok(!first.program.includes(root), 'it names the folder that it was built in')
  })
})
