import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { imageConfig } from '../../../scripts/image/build-image.ts'
import { readPins } from '../../../scripts/image/debian-packages.ts'
import { programLayer, runtimeLayer } from '../../../scripts/image/layers.ts'
import {
  ociArchive,
  packImage,
  sha256,
  type Descriptor,
  type Image,
  type ImageConfig,
} from '../../../scripts/image/oci-archive.ts'
import { PLATFORMS } from '../../../scripts/image/platforms.ts'
import { stripProgram } from '../../../scripts/image/strip-program.ts'
import { readTar, writeTar } from '../../../scripts/release/tar.ts'
import { skip } from '../../kit/skip.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const manifest = readFileSync(join(root, 'package.json'), 'utf8')

describe('a program in the image', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'deckwatch-image-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  it('runs without its symbols, and is no larger with them gone twice', function () {
    if (process.platform !== 'linux') skip(this, 'needs an ELF program')
    const whole = readFileSync(process.execPath)
    const stripped = stripProgram(whole)
    assert.ok(stripped.length < whole.length, `${stripped.length} of ${whole.length} bytes`)
    assert.deepEqual(stripProgram(stripped), stripped)
    writeFileSync(join(folder, 'node'), stripped, { mode: 0o755 })
    const script =
      'console.log(process.version, new (require("node:sqlite").DatabaseSync)(":memory:").isOpen)'
    const { stdout, stderr } = spawnSync(join(folder, 'node'), ['-e', script], { encoding: 'utf8' })
    assert.equal(stdout, `${process.version} true\n`, stderr)
  })

  it('is refused where it is none, or not whole', function () {
    assert.throws(() => stripProgram(Buffer.from('#!/bin/sh\n'.padEnd(100))), /no 64-bit little-endian ELF/)
    if (process.platform !== 'linux') return
    const half = readFileSync(process.execPath).subarray(0, 1 << 20)
    assert.throws(() => stripProgram(half), /cut short/)
  })
})

describe('the layers of the image', () => {
  const debian = (name: string, paths: readonly string[]) => ({
    name,
    version: '1',
    sha256: '',
    control: `Package: ${name}\n`,
    files: new Map(paths.map((path) => [path, Buffer.from(path)])),
  })
  const licences = ['GPL-2', 'GPL-3', 'LGPL-2.1', 'LGPL-3'].map((name) => `usr/share/common-licenses/${name}`)
  const packagesFor = (libraries: string, loader: string) => [
    debian('base-files', ['usr/lib/os-release', ...licences]),
    debian('gcc-12-base', ['usr/share/doc/gcc-12-base/copyright']),
    debian('libc6', [
      ...[loader, 'libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0'].map(
        (so) => `${libraries}/${so}`,
      ),
      'usr/share/doc/libc6/copyright',
    ]),
    debian('libgcc-s1', [`${libraries}/libgcc_s.so.1`]),
    debian('libstdc++6', [`usr/${libraries}/libstdc++.so.6.0.30`]),
  ]
  const node = { version: '24', program: Buffer.from('node'), licence: Buffer.from('licence') }

  for (const platform of PLATFORMS) {
    const loader = platform.loader.replace(/.*\//, '')
    const packages = packagesFor(platform.libraries, loader)

    it(`have the loader of ${platform.architecture} where programs look for it, and libraries under their names`, () => {
      const entries = new Map(runtimeLayer(platform, node, packages).map((entry) => [entry.name, entry]))
      assert.equal(entries.get(platform.loader)?.data.toString(), `${platform.libraries}/${loader}`)
      assert.equal(entries.get(platform.loader)?.mode, 0o755)
      assert.equal(
        entries.get(`${platform.libraries}/libstdc++.so.6`)?.data.toString(),
        `usr/${platform.libraries}/libstdc++.so.6.0.30`,
      )
    })

    it(`say of every folder on ${platform.architecture} who owns it, and only /tmp is everybody's`, () => {
      const entries = [
        ...runtimeLayer(platform, node, packages),
        ...programLayer(Buffer.from('program'), 'notices', Buffer.from('licence')),
      ]
      const names = new Set(entries.map(({ name }) => name))
      for (const { name } of entries) {
        const above = name.replace(/[^/]+\/?$/, '')
        assert.ok(above === '' || names.has(above), `${above} of ${name}`)
      }
      const writable = entries.filter(({ mode }) => (mode & 0o022) !== 0).map(({ name }) => name)
      assert.deepEqual(writable, ['tmp/'])
      const owned = entries.filter(({ owner = 0 }) => owner !== 0).map(({ name, owner }) => [name, owner])
      assert.deepEqual(owned, [['data/', 65532]])
    })
  }

  it('fail by name where Debian moved a library', () => {
    const [platform] = PLATFORMS
    assert.ok(platform)
    const without = packagesFor(platform.libraries, 'ld.so').filter(({ name }) => name !== 'libgcc-s1')
    assert.throws(() => runtimeLayer(platform, node, without), /Debian's libc6 1 holds no .*ld-linux/)
  })

  it('come from the same packages and versions on every platform', async () => {
    const { packages } = await readPins()
    assert.deepEqual(
      Object.keys(packages),
      PLATFORMS.map(({ architecture }) => architecture),
    )
    const [first, ...others] = Object.values(packages).map((pins) =>
      Object.entries(pins).map(([name, { version }]) => `${name} ${version}`),
    )
    for (const other of others) assert.deepEqual(other, first)
  })
})

describe('an archive with an image', () => {
  const REFERENCE = 'registry.test:5000/team/deckwatch:1.2'
  const layer = (text: string) => ({ blob: Buffer.from(text), diffId: `sha256:${text}`, comment: text })
  const image: Image = {
    architecture: 'arm64',
    created: '1980-01-01T00:00:00.000Z',
    layers: [layer('runtime'), layer('program')],
    config: imageConfig(manifest),
  }
  const open = (...images: readonly Image[]) => {
    const archive = ociArchive(REFERENCE, images.map(packImage))
    const files = new Map([...readTar(archive)].map(({ name, data }) => [name, data]))
    const parse = (data: Buffer | undefined) => JSON.parse(data?.toString() ?? 'null')
    const blob = (of: Pick<Descriptor, 'digest'>) => files.get(`blobs/${of.digest.replace(':', '/')}`)
    const [top] = parse(files.get('index.json')).manifests
    return { files, parse, blob, top }
  }

  it('is the same to the byte for the same image, however its keys are ordered', () => {
    const config = Object.fromEntries(Object.entries(image.config).toReversed()) as unknown as ImageConfig
    const pack = (of: Image) => ociArchive(REFERENCE, [packImage(of)])
    assert.deepEqual(pack({ ...image, config }), pack(image))
    assert.notDeepEqual(pack({ ...image, layers: [layer('other')] }), pack(image))
  })

  it('names each blob by its digest, and the image for containerd', () => {
    const { files, parse, blob, top } = open(image)
    assert.deepEqual(parse(files.get('oci-layout')), { imageLayoutVersion: '1.0.0' })
    for (const [name, data] of files) {
      if (!name.startsWith('blobs/')) continue
      assert.equal(name, `blobs/sha256/${createHash('sha256').update(data).digest('hex')}`)
    }
    assert.deepEqual(top.platform, { architecture: 'arm64', os: 'linux' })
    assert.deepEqual(top.annotations, {
      'io.containerd.image.name': REFERENCE,
      'org.opencontainers.image.ref.name': '1.2',
    })
    const { config, layers } = parse(blob(top))
    assert.deepEqual(
      layers.map((of: Descriptor) => blob(of)?.toString()),
      ['runtime', 'program'],
    )
    assert.deepEqual(parse(blob(config)).rootfs.diff_ids, ['sha256:runtime', 'sha256:program'])
    assert.equal(parse(blob(config)).architecture, 'arm64')
  })

  it('knows what a registry will store', () => {
    const { blobs, transferBytes } = packImage(image)
    assert.equal(blobs.size, 4)
    assert.equal(
      transferBytes,
      [...blobs.values()].reduce((sum, { length }) => sum + length, 0),
    )
  })

  it('may hold one for each platform, of which each stays as it is alone', () => {
    const amd64 = { ...image, architecture: 'amd64' }
    const { parse, blob, top } = open(amd64, image)
    assert.equal(top.mediaType, 'application/vnd.oci.image.index.v1+json')
    assert.equal(top.annotations['io.containerd.image.name'], REFERENCE)
    const { manifests } = parse(blob(top))
    assert.deepEqual(
      manifests.map((of: Descriptor) => of.platform?.architecture),
      ['amd64', 'arm64'],
    )
    assert.deepEqual(
      manifests,
      JSON.parse(JSON.stringify([amd64, image].map((of) => packImage(of).manifest))),
    )
    for (const of of manifests) assert.equal(parse(blob(of)).schemaVersion, 2)
    assert.throws(() => ociArchive(REFERENCE, []), /without an image/)
  })

  it('keeps folders, owners and the sticky bit for those who unpack its layers', () => {
    const tar = writeTar([
      { name: 'tmp/', mode: 0o1777, data: Buffer.alloc(0) },
      { name: 'data/', mode: 0o755, data: Buffer.alloc(0), owner: 65532 },
    ])
    const { stdout } = spawnSync('tar', ['tv', '--numeric-owner'], { input: tar, encoding: 'utf8' })
    assert.match(stdout, /^drwxr-xr-x 65532\/65532 +0 .* data\/\ndrwxrwxrwt 0\/0 +0 .* tmp\/\n$/)
    assert.match(sha256(tar), /^sha256:[0-9a-f]{64}$/)
  })
})

describe('the Dockerfile', () => {
  const dockerfile = readFileSync(join(root, 'server/deploy/Dockerfile'), 'utf8')
  const instruction = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(dockerfile)?.[1]

  it('makes a container that runs what ours does, in the same way', () => {
    const { User, Entrypoint, Env, ExposedPorts } = imageConfig(manifest)
    assert.equal(instruction('USER'), User)
    assert.deepEqual(JSON.parse(instruction('ENTRYPOINT') ?? ''), Entrypoint)
    assert.deepEqual([instruction('ENV')], Env)
    assert.deepEqual(instruction('EXPOSE')?.split(' '), Object.keys(ExposedPorts))
  })

  it('takes the Node that the lock file pins', () => {
    const { optionalDependencies } = JSON.parse(manifest) as { optionalDependencies: Record<string, string> }
    for (const { node } of PLATFORMS) {
      assert.equal(instruction('ARG'), `NODE_VERSION=${optionalDependencies[node]}`, node)
    }
  })
})
