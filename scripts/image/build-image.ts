import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { bundledPackages, renderNotices } from '../bundle/notices.ts'
import type { ServerBundle } from '../bundle/server-bundle.ts'
import { SERVER_NODE_FLAGS } from '../bundle/server-node-flags.ts'
import { ARCHIVE_TIME, type ArchiveEntry } from '../release/archive-entry.ts'
import { cacheFolder, packageFiles, pinnedPackage, runtimeCache } from '../release/runtimes.ts'
import { writeTar } from '../release/tar.ts'
import { debianPackages, readPins } from './debian-packages.ts'
import { PATHS, programLayer, runtimeLayer, USER, type NodeRuntime } from './layers.ts'
import { packImage, sha256, type ImageConfig, type Layer, type PackedImage } from './oci-archive.ts'
import type { Platform } from './platforms.ts'
import { stripProgram } from './strip-program.ts'

/** What an image is made of. */
export interface ImageRequest {
  /** The repository. */
  readonly root: string
  readonly platform: Platform
  readonly bundle: ServerBundle
  readonly onProgress: (line: string) => void
}

/** How the image of a version is called where nobody says otherwise. */
export function defaultReference(version: string): string {
  return `ghcr.io/deckwatch/deckwatch:${version}`
}

/** Where what an image is made of is kept between runs. */
export function imageCache(environment: NodeJS.ProcessEnv): string {
  return cacheFolder(environment, 'image')
}

/** Makes the companion's image; the same sources, pins and Node give the same bytes. */
export async function buildImage(request: ImageRequest): Promise<PackedImage> {
  const { root, platform, bundle, onProgress } = request
  const cache = imageCache(process.env)
  const [manifest, lockFile, licence] = await Promise.all([
    readFile(join(root, 'package.json'), 'utf8'),
    readFile(join(root, 'package-lock.json'), 'utf8'),
    readFile(join(root, 'LICENSE')),
  ])
  const node = await nodeRuntime(lockFile, platform)
  const packages = await debianPackages({
    pins: await readPins(),
    architecture: platform.architecture,
    cache,
    onProgress,
  })
  const notices = renderNotices(await bundledPackages(root, bundle.metafile))
  const runtime = await keptLayer(cache, runtimeLayer(platform, node, packages), onProgress, [
    `Node.js ${node.version}, stripped`,
    ...packages.map(({ name, version }) => `${name} ${version}`),
  ])
  const program = await gzippedLayer(writeTar(programLayer(bundle.program, notices, licence)), 'deckwatch')
  return packImage({
    architecture: platform.architecture,
    created: new Date(ARCHIVE_TIME * 1000).toISOString(),
    layers: [runtime, program],
    config: imageConfig(manifest),
  })
}

async function nodeRuntime(lockFile: string, platform: Platform): Promise<NodeRuntime> {
  const pin = pinnedPackage(lockFile, platform.node)
  const files = await packageFiles(runtimeCache(process.env), pin)
  const program = files.get('bin/node')
  const licence = files.get('LICENSE')
  if (!program || !licence) throw new Error(`${pin.name}@${pin.version} holds no bin/node or no LICENSE`)
  return { version: pin.version, program: stripProgram(program), licence }
}

/** Compressing 110 MB takes a quarter of a minute, so the result is kept. */
async function keptLayer(
  cache: string,
  entries: readonly ArchiveEntry[],
  onProgress: (line: string) => void,
  contents: readonly string[],
): Promise<Layer> {
  const tar = writeTar(entries)
  const comment = contents.join(', ')
  const diffId = sha256(tar)
  const kept = join(cache, `${diffId.slice('sha256:'.length)}.tar.gz`)
  const blob = await readFile(kept).catch(() => undefined)
  if (blob) return { blob, diffId, comment }
  onProgress(`compressing ${(tar.length / 1e6).toFixed(0)} MB: ${comment}`)
  const layer = await gzippedLayer(tar, comment)
  await mkdir(cache, { recursive: true })
  const partial = `${kept}.${process.pid}`
  await writeFile(partial, layer.blob)
  await rename(partial, kept)
  return layer
}

/**
 * Compresses with GNU gzip, which every Debian has: 3 % smaller than with Node's zlib, and the same bytes on every
 * processor, while that one takes what instructions it finds.
 */
async function gzippedLayer(tar: Buffer, comment: string): Promise<Layer> {
  const gzip = spawn('gzip', ['-9', '--no-name', '--stdout'], { stdio: ['pipe', 'pipe', 'inherit'] })
  // Where it ends early, its exit code says so.
  gzip.stdin.on('error', () => {}).end(tar)
  const [blob, [code]] = await Promise.all([buffer(gzip.stdout), once(gzip, 'close')])
  if (code !== 0) throw new Error(`gzip ended with ${code}`)
  return { blob, diffId: sha256(tar), comment }
}

/** What a container of the image runs by default, with labels from the text of package.json. */
export function imageConfig(manifest: string): ImageConfig {
  const { version, license, homepage, description } = JSON.parse(manifest) as Record<string, string>
  const labels = {
    title: 'deckwatch',
    description,
    version,
    licenses: license,
    url: homepage,
    source: homepage,
    documentation: `${homepage}#readme`,
  }
  return {
    User: `${USER}:${USER}`,
    ExposedPorts: { '10250/tcp': {}, '10251/tcp': {}, '8080/tcp': {} },
    Env: ['PATH=/usr/bin'],
    Entrypoint: [`/${PATHS.node}`, ...SERVER_NODE_FLAGS, `/${PATHS.program}`],
    WorkingDir: '/',
    Labels: Object.fromEntries(
      Object.entries(labels).map(([name, value]) => [`org.opencontainers.image.${name}`, value ?? '']),
    ),
  }
}
