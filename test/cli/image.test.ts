import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { imageCache, imageConfig } from '../../scripts/image/build-image.ts'
import { ociArchive, packImage, sha256 } from '../../scripts/image/oci-archive.ts'
import { readTar } from '../../scripts/release/tar.ts'
import { runtimeCache } from '../../scripts/release/runtimes.ts'
import { needCommand } from '../kit/debian-package.ts'
import { requireRegistry, type Registry } from '../kit/registry.ts'
import { skip } from '../kit/skip.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const MAX_COMPRESSED_BYTES = 45e6

interface Manifest {
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string; readonly size: number }[]
}

describe('the image of the companion', function () {
  // The first one on a machine fetches Node and Debian's packages, and compresses 110 MB twice.
  this.timeout(600_000)

  let folder: string
  let archive: string
  let files: ReadonlyMap<string, Buffer>
  let manifest: Manifest

  before(function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') skip(this, 'needs a linux/amd64 machine')
    needCommand(this, 'apt-get', ['apt'])
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-image-'))
    const { status, stdout, stderr } = build([], join(folder, 'first'))
    assert.equal(status, 0, stdout + stderr)
    archive = join(folder, 'first/deckwatch-amd64.tar')
    files = new Map([...readTar(readFileSync(archive))].map(({ name, data }) => [name, data]))
    manifest = json(index().digest) as Manifest
  })
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  const build = (args: readonly string[], out: string, env: NodeJS.ProcessEnv = process.env) =>
    spawnSync(process.execPath, ['scripts/image.ts', '--platform', 'amd64', '--out', out, ...args], {
      cwd: root,
      encoding: 'utf8',
      env,
    })
  const blob = (digest: string): Buffer => files.get(`blobs/${digest.replace(':', '/')}`) ?? Buffer.alloc(0)
  const json = (digest: string): unknown => JSON.parse(blob(digest).toString())
  const index = () =>
    JSON.parse(files.get('index.json')?.toString() ?? '').manifests[0] as {
      digest: string
      annotations: Record<string, string>
    }
  const run = (program: string, args: readonly string[]): string => {
    const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
    assert.equal(status, 0, error?.message ?? stderr)
    return stdout
  }
  /** As a runtime does it: one layer over the other. */
  const unpack = (): string => {
    const into = join(folder, 'root')
    mkdirSync(into)
    for (const { digest } of manifest.layers) {
      const { status, stderr } = spawnSync('tar', ['xzp', '--same-owner', '-C', into], {
        input: blob(digest),
      })
      assert.equal(status, 0, stderr.toString())
    }
    return into
  }

  it('is the same to the byte where nothing of it was kept from before', () => {
    const cache = join(folder, 'cache')
    mkdirSync(join(cache, 'deckwatch/image'), { recursive: true })
    symlinkSync(runtimeCache(process.env), join(cache, 'deckwatch/runtimes'))
    const kept = imageCache(process.env)
    for (const name of readdirSync(kept).filter((file) => file.endsWith('.deb'))) {
      symlinkSync(join(kept, name), join(cache, 'deckwatch/image', name))
    }
    const again = join(folder, 'again')
    const { status, stderr } = build([], again, { ...process.env, XDG_CACHE_HOME: cache })
    assert.equal(status, 0, stderr)
    assert.match(stderr, /compressing 1\d\d MB/)
    assert.ok(readFileSync(join(again, 'deckwatch-amd64.tar')).equals(readFileSync(archive)))
  })

  it(`is at most ${MAX_COMPRESSED_BYTES / 1e6} MB compressed`, () => {
    const bytes = manifest.layers.reduce((sum, { size }) => sum + size, 0)
    console.log(`      ${(bytes / 1e6).toFixed(1)} MB`)
    assert.ok(bytes <= MAX_COMPRESSED_BYTES, `${bytes} bytes`)
  })

  it('holds nothing that others may write to but /tmp, and only /data is not root’s', () => {
    const entries = manifest.layers
      .flatMap(({ digest }) => {
        const { stdout } = spawnSync('tar', ['tv', '--numeric-owner'], { input: gunzipSync(blob(digest)) })
        return stdout.toString().trimEnd().split('\n')
      })
      .map((line) => line.split(/\s+/))
    assert.ok(entries.length > 30)
    const named = (those: typeof entries) => those.map((fields) => fields[5])
    assert.deepEqual(named(entries.filter(([mode = '']) => mode[8] === 'w' || mode[5] === 'w')), ['tmp/'])
    assert.deepEqual(named(entries.filter(([, owner]) => owner !== '0/0')), ['data/'])
    assert.deepEqual(named(entries.filter(([mode = '']) => /[sS]/.test(mode))), [])
  })

  it('tells what is in it: licences, notices, and packages for scanners', () => {
    const names = new Set(
      manifest.layers.flatMap(({ digest }) => [...readTar(gunzipSync(blob(digest)))].map(({ name }) => name)),
    )
    for (const name of [
      'usr/share/doc/deckwatch/LICENSE',
      'usr/share/doc/deckwatch/THIRD-PARTY-NOTICES.txt',
      'usr/share/doc/nodejs/LICENSE',
      'usr/share/doc/libc6/copyright',
      'usr/share/doc/gcc-12-base/copyright',
      'var/lib/dpkg/status.d/libc6',
      'etc/os-release',
    ]) {
      assert.ok(names.has(name), name)
    }
    const { config } = json(manifest.config.digest) as {
      config: { Labels: Record<string, string> }
    }
    assert.equal(config.Labels['org.opencontainers.image.version'], version)
    assert.equal(config.Labels['org.opencontainers.image.licenses'], 'Apache-2.0')
  })

  it('runs with nothing but its own files, as its own user', function () {
    if (process.getuid?.() !== 0) skip(this, 'needs root, for chroot')
    const script = `
      const { DatabaseSync } = require('node:sqlite')
      new DatabaseSync('/data/try.db').exec('create table t (a)')
      require('node:fs').writeFileSync('/tmp/try', '')
      console.log(process.version, process.getuid(), require('node:os').userInfo().username)`
    const stdout = run('chroot', ['--userspec=65532:65532', unpack(), '/usr/bin/node', '--eval', script])
    assert.equal(stdout, `${process.version} 65532 nonroot\n`)
  })

  it('is called as one says', () => {
    const named = join(folder, 'named')
    const { status, stdout, stderr } = build(['--reference', 'registry.test:5000/team/watch:1.2'], named)
    assert.equal(status, 0, stderr)
    assert.match(
      stdout,
      /deckwatch-amd64\.tar: \d+\.\d MB compressed, registry\.test:5000\/team\/watch:1\.2 sha256:/,
    )
    assert.equal(index().annotations['io.containerd.image.name'], `ghcr.io/deckwatch/deckwatch:${version}`)
    for (const reference of ['Not A Name', `deckwatch@sha256:${'0'.repeat(64)}`]) {
      const refused = build(['--reference', reference], named)
      assert.equal(refused.status, 2)
      assert.equal(refused.stderr, `error: --reference ${reference} is no image name with a tag\n`)
    }
    const platform = build(['--platform', 's390x'], named)
    assert.equal(platform.status, 2)
    assert.equal(platform.stderr, 'error: --platform s390x: it is amd64 or arm64\n')
  })

  it('cannot be made without apt, and one line says so', () => {
    const cache = join(folder, 'no-apt')
    mkdirSync(join(cache, 'deckwatch'), { recursive: true })
    symlinkSync(runtimeCache(process.env), join(cache, 'deckwatch/runtimes'))
    const env = { ...process.env, XDG_CACHE_HOME: cache, PATH: dirname(process.execPath) }
    const { status, stderr } = build([], join(folder, 'none'), env)
    assert.equal(status, 1)
    assert.match(stderr, /^error: .* Debian bookworm, and apt-get is not on PATH; .*Dockerfile$/m)
  })

  describe('and skopeo', () => {
    let registry: Registry
    before(async function () {
      needCommand(this, 'skopeo', ['skopeo'])
      registry = await requireRegistry(this)
    })
    after(() => registry?.stop())

    const copy = (source: string, target: string, ...flags: readonly string[]): void => {
      const always = ['--preserve-digests', '--dest-tls-verify=false']
      run('skopeo', ['--insecure-policy', 'copy', ...always, ...flags, source, target])
    }

    it('agree on what it is', () => {
      const seen = JSON.parse(run('skopeo', ['inspect', `oci-archive:${archive}`]))
      assert.equal(seen.Digest, index().digest)
      assert.equal(seen.Architecture, 'amd64')
      assert.equal(seen.Os, 'linux')
      assert.deepEqual(
        seen.Layers,
        manifest.layers.map(({ digest }) => digest),
      )
      const config = JSON.parse(run('skopeo', ['inspect', '--config', `oci-archive:${archive}`]))
      assert.equal(config.config.User, '65532:65532')
    })

    it('bring images for several platforms to a registry as one', () => {
      const layer = { blob: gzipSync('layer'), diffId: sha256(Buffer.from('layer')), comment: 'a layer' }
      const config = imageConfig(readFileSync(join(root, 'package.json'), 'utf8'))
      const images = ['amd64', 'arm64'].map((architecture) =>
        packImage({ architecture, created: '1980-01-01T00:00:00Z', layers: [layer], config }),
      )
      const both = join(folder, 'both.tar')
      const target = `docker://${registry.host}/deckwatch/both:1`
      writeFileSync(both, ociArchive('registry.test/deckwatch/both:1', images))
      copy(`oci-archive:${both}`, target, '--all')
      const { manifests } = JSON.parse(run('skopeo', ['inspect', '--raw', '--tls-verify=false', target]))
      assert.deepEqual(
        manifests.map(({ digest }: { digest: string }) => digest),
        images.map(({ manifest: { digest } }) => digest),
      )
    })

    it('bring it to a registry with its digest', () => {
      const target = `docker://${registry.host}/deckwatch/deckwatch:${version}`
      copy(`oci-archive:${archive}`, target)
      const pushed = JSON.parse(run('skopeo', ['inspect', '--tls-verify=false', target]))
      assert.equal(pushed.Digest, index().digest)
    })
  })
})
