import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { parse } from 'yaml'
import { krewViolations } from '../../scripts/krew-rules.ts'
import { checkCodeSignature } from '../../scripts/release/code-signature.ts'
import { readTar } from '../../scripts/release/tar.ts'
import { archiveName, TARGETS } from '../../scripts/release/targets.ts'
import { installPackages, needCommand } from '../kit/debian-package.ts'
import { skip } from '../kit/skip.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { version, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  bin: Record<string, string>
}

function needLinuxAmd64(context: Mocha.Context): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') skip(context, 'needs a linux/amd64 machine')
}

describe('a release', function () {
  // The first one on a machine fetches the runtimes of five platforms.
  this.timeout(900_000)

  let folder: string
  let release: string
  let home: string

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-release-'))
    release = join(folder, 'release')
    home = join(folder, 'home')
    mkdirSync(home)
    const made = spawnSync('node', ['scripts/release.ts', '--out', release], { cwd: root, encoding: 'utf8' })
    assert.equal(made.status, 0, made.stdout + made.stderr)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs without the caller's cluster, home and colours. */
  const run = (program: string, args: readonly string[], options: { cwd?: string } = {}) => {
    const env = { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: join(home, '.cache') }
    return spawnSync(program, args, { cwd: home, encoding: 'utf8', env, ...options })
  }
  const unpack = (os: string, arch: string): string => {
    const into = join(folder, `${os}-${arch}`)
    if (existsSync(into)) return into
    const archive = readFileSync(join(release, `deckwatch-${version}-${os}-${arch}.tar.gz`))
    for (const { name, mode, data } of readTar(gunzipSync(archive))) {
      mkdirSync(join(into, name, '..'), { recursive: true })
      writeFileSync(join(into, name), data)
      chmodSync(join(into, name), mode)
    }
    return into
  }
  /** Links a program under a plugin's name, as krew does. */
  const linkAs = (plugin: string, program: string): string => {
    const links = mkdtempSync(join(folder, 'links-'))
    symlinkSync(program, join(links, plugin))
    return join(links, plugin)
  }

  it('holds an archive per platform, the npm package, the Helm chart, their sums and the krew manifests, and nothing else', () => {
    const expected = [
      ...TARGETS.map((target) => archiveName(target, version)),
      `deckwatch-${version}.tgz`,
      `deckwatch-chart-${version}.tgz`,
      'SHA256SUMS',
      'blame.yaml',
      'deckwatch.yaml',
      'images.yaml',
    ]
    assert.deepEqual(readdirSync(release).toSorted(), expected.toSorted())
  })

  it('has the right sum for each file that is downloaded', () => {
    const sums = readFileSync(join(release, 'SHA256SUMS'), 'utf8').trimEnd().split('\n')
    assert.equal(sums.length, TARGETS.length + 2)
    for (const line of sums) {
      const [, sum, name = ''] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? []
      assert.equal(
        createHash('sha256')
          .update(readFileSync(join(release, name)))
          .digest('hex'),
        sum,
        name,
      )
    }
  })

  it('has manifests that krew takes, pointing at these archives with their sums and programs', () => {
    const sums = readFileSync(join(release, 'SHA256SUMS'), 'utf8').split('\n')
    for (const plugin of ['blame', 'images', 'deckwatch']) {
      const manifest = parse(readFileSync(join(release, `${plugin}.yaml`), 'utf8')) as {
        spec: {
          version: string
          platforms: {
            selector: { matchLabels: { os: string; arch: string } }
            uri: string
            sha256: string
            bin: string
          }[]
        }
      }
      assert.deepEqual(krewViolations(`${plugin}.yaml`, manifest), [])
      assert.equal(manifest.spec.version, `v${version}`)
      assert.equal(manifest.spec.platforms.length, TARGETS.length)
      for (const { selector, uri, sha256, bin: program } of manifest.spec.platforms) {
        const { os, arch } = selector.matchLabels
        const archive = uri.slice(uri.lastIndexOf('/') + 1)
        assert.ok(sums.includes(`${sha256}  ${archive}`), archive)
        assert.equal(program, os === 'windows' ? 'deckwatch.exe' : 'deckwatch')
        if (os !== 'windows') assert.ok(existsSync(join(unpack(os, arch), program)), archive)
      }
    }
  })

  it('has licence, notices and README beside the program', () => {
    for (const { os, arch, runtime } of TARGETS) {
      if (os === 'windows') continue
      const unpacked = unpack(os, arch)
      const names = readdirSync(unpacked, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(unpacked, join(entry.parentPath, entry.name)))
      const program = ['LICENSE', 'README.md', 'THIRD-PARTY-NOTICES.txt', 'deckwatch']
      const onNode = ['bin/launch.cjs', ...Object.values(bin), 'dist/deckwatch.cjs', 'node']
      assert.deepEqual(
        names.toSorted(),
        (runtime.kind === 'bun' ? program : [...program, ...onNode]).toSorted(),
      )
      const notices = readFileSync(join(unpacked, 'THIRD-PARTY-NOTICES.txt'), 'utf8')
      assert.match(notices, /^@oclif\/core \d/m)
      const ofRuntime =
        runtime.kind === 'bun' ? /^Bun \d.*\n[^]*LESSER GENERAL PUBLIC LICENSE/m : /^Node\.js \d/m
      assert.match(notices, ofRuntime)
    }
  })

  it('has zip archives for Windows that unzip takes', function () {
    needCommand(this, 'unzip', ['unzip'])
    for (const arch of ['amd64', 'arm64']) {
      const { status, stdout } = run('unzip', [
        '-t',
        join(release, `deckwatch-${version}-windows-${arch}.zip`),
      ])
      assert.equal(status, 0, stdout)
      assert.match(
        stdout,
        /LICENSE +OK[^]*README\.md +OK[^]*THIRD-PARTY-NOTICES\.txt +OK[^]*deckwatch\.exe +OK/,
      )
    }
  })

  it('has programs made for the machines they are named after', function () {
    needCommand(this, 'unzip', ['unzip'])
    const head = (os: string, arch: string, program: string) => {
      if (os !== 'windows') return readFileSync(join(unpack(os, arch), program)).subarray(0, 4096)
      const archive = join(release, `deckwatch-${version}-windows-${arch}.zip`)
      return spawnSync('unzip', ['-p', archive, program], { maxBuffer: 2 ** 28 }).stdout.subarray(0, 4096)
    }
    // ELF e_machine, Mach-O cputype, PE Machine.
    assert.equal(head('linux', 'amd64', 'deckwatch').readUInt16LE(18), 62)
    assert.equal(head('linux', 'arm64', 'deckwatch').readUInt16LE(18), 183)
    assert.equal(head('darwin', 'amd64', 'node').readUInt32LE(4), 0x0100_0007)
    assert.equal(head('darwin', 'arm64', 'deckwatch').readUInt32LE(4), 0x0100_000c)
    for (const [arch, machine] of [
      ['amd64', 0x8664],
      ['arm64', 0xaa64],
    ] as const) {
      const image = head('windows', arch, 'deckwatch.exe')
      assert.equal(image.readUInt16LE(image.readUInt32LE(0x3c) + 4), machine, arch)
    }
  })

  it('has macOS programs whose signature covers every page', () => {
    for (const [arch, program] of [
      ['amd64', 'node'],
      ['arm64', 'deckwatch'],
    ] as const) {
      const { pages, bad } = checkCodeSignature(readFileSync(join(unpack('darwin', arch), program)))
      assert.ok(pages > 10_000, `${pages} pages`)
      assert.equal(bad, 0)
    }
  })

  it('ships the very bytes that npm run build makes for this machine', function () {
    needLinuxAmd64(this)
    const built = readFileSync(join(root, 'dist/bin/deckwatch'))
    assert.ok(readFileSync(join(unpack('linux', 'amd64'), 'deckwatch')).equals(built))
  })

  it('runs on linux/amd64 as the plugin it is linked as', function () {
    needLinuxAmd64(this)
    for (const plugin of Object.keys(bin)) {
      const { stdout, stderr, status } = run(linkAs(plugin, join(unpack('linux', 'amd64'), 'deckwatch')), [
        '--version',
      ])
      assert.deepEqual(
        { stdout, stderr, status },
        { stdout: `${plugin} ${version}\n`, stderr: '', status: 0 },
      )
    }
  })

  it('runs on linux/arm64, under emulation', function () {
    const packages = ['qemu-user-static', 'libc6-arm64-cross']
    needCommand(this, 'qemu-aarch64-static', packages)
    if (!existsSync('/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1')) installPackages(packages)
    const program = join(unpack('linux', 'arm64'), 'deckwatch')
    const { stdout, stderr, status } = run('qemu-aarch64-static', [
      '-L',
      '/usr/aarch64-linux-gnu',
      program,
      '--version',
    ])
    assert.deepEqual({ stdout, stderr, status }, { stdout: `deckwatch ${version}\n`, stderr: '', status: 0 })
  })

  it('has a launcher for Intel Macs that finds its Node through krew’s links', () => {
    const unpacked = unpack('darwin', 'amd64')
    const node = join(unpacked, 'node')
    rmSync(node)
    symlinkSync(process.execPath, node)
    const link = linkAs('kubectl-images', linkAs('deckwatch', join(unpacked, 'deckwatch')))
    const { stdout, stderr, status } = run(link, ['--version'])
    assert.deepEqual(
      { stdout, stderr, status },
      { stdout: `kubectl-images ${version}\n`, stderr: '', status: 0 },
    )
  })

  it('never reads .env or bunfig.toml of the folder it is called in', function () {
    needLinuxAmd64(this)
    const plugin = linkAs('kubectl-images', join(unpack('linux', 'amd64'), 'deckwatch'))
    const trap = mkdtempSync(join(folder, 'trap-'))
    const cluster = '{name: a, cluster: {server: "http://127.0.0.1:1"}}'
    const context = '{name: a, context: {cluster: a, user: a}}'
    writeFileSync(
      join(trap, 'trap.yaml'),
      `{apiVersion: v1, kind: Config, clusters: [${cluster}], contexts: [${context}], users: [{name: a, user: {}}], current-context: a}`,
    )
    writeFileSync(join(trap, '.env'), `KUBECONFIG=${join(trap, 'trap.yaml')}\n`)
    writeFileSync(join(trap, 'bunfig.toml'), 'preload = ["./preload.js"]\n')
    writeFileSync(join(trap, 'preload.js'), 'console.log("preloaded")\n')
    const { stdout, stderr, status } = run(plugin, [], { cwd: trap })
    const outside = run(plugin, [])
    assert.deepEqual(
      { stdout, stderr, status },
      { stdout: '', stderr: outside.stderr, status: outside.status },
    )
    assert.match(stderr, /no kubeconfig/)
  })

  it('has an npm package that installs without a network and starts', () => {
    const place = mkdtempSync(join(folder, 'npm-'))
    const args = [
      'install',
      '--offline',
      '--no-audit',
      '--no-fund',
      '--prefix',
      place,
      join(release, `deckwatch-${version}.tgz`),
    ]
    const installed = run('npm', args)
    assert.equal(installed.status, 0, installed.stdout + installed.stderr)
    for (const plugin of Object.keys(bin)) {
      const { stdout, stderr, status } = run(join(place, 'node_modules/.bin', plugin), ['--version'])
      assert.deepEqual(
        { stdout, stderr, status },
        { stdout: `${plugin} ${version}\n`, stderr: '', status: 0 },
      )
    }
    const installedFiles = readdirSync(join(place, 'node_modules/deckwatch'))
    assert.deepEqual(installedFiles.filter((name) => name !== 'CHANGELOG.md').toSorted(), [
      'LICENSE',
      'README.md',
      'THIRD-PARTY-NOTICES.txt',
      'bin',
      'dist',
      'package.json',
    ])
    const manifest = readFileSync(join(place, 'node_modules/deckwatch/package.json'), 'utf8')
    assert.doesNotMatch(manifest, /ependencies|scripts|private/)
  })

  it('has an npm package that tells an old Node in one line what it needs', () => {
    const launcher = join(root, 'bin/launch.cjs')
    for (const [old, refused] of [
      ['20.20.2', true],
      ['24.14.0', true],
      ['24.15.0', false],
      ['26.0.0', false],
    ] as const) {
      const code = `Object.defineProperty(process.versions, 'node', { value: '${old}' }); require(${JSON.stringify(launcher)})`
      const { stderr, status } = run(process.execPath, ['-e', code, 'kubectl-images', '--version'])
      const expected = refused ? `error: deckwatch needs Node 24.15 or newer; this is Node ${old}\n` : ''
      assert.deepEqual({ stderr, status }, { stderr: expected, status: refused ? 3 : 0 }, old)
    }
  })
})
