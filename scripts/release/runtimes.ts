import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { readTar } from './tar.ts'

const run = promisify(execFile)
const decompress = promisify(gunzip)

/** A package as the lock file pins it; `integrity` is npm's `sha512-BASE64`. */
export interface PinnedPackage {
  readonly name: string
  readonly version: string
  readonly integrity: string
}

/** Where downloaded runtimes are kept between releases. */
export function runtimeCache(environment: NodeJS.ProcessEnv): string {
  return cacheFolder(environment, 'runtimes')
}

/** Where things of one sort are kept between runs. */
export function cacheFolder(environment: NodeJS.ProcessEnv, sort: string): string {
  const xdg = environment['XDG_CACHE_HOME']
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'deckwatch', sort)
}

/** Looks a package up in the text of package-lock.json. */
export function pinnedPackage(lockFile: string, name: string): PinnedPackage {
  const { packages } = JSON.parse(lockFile) as {
    packages: Record<string, { version?: string; integrity?: string } | undefined>
  }
  const entry = packages[`node_modules/${name}`]
  if (!entry?.version || !entry.integrity?.startsWith('sha512-')) {
    throw new Error(`package-lock.json does not pin ${name} by sha512`)
  }
  return { name, version: entry.version, integrity: entry.integrity }
}

/** Whether a package's archive is the one that the lock file pins. */
export function isPinned(archive: Uint8Array, { integrity }: PinnedPackage): boolean {
  return `sha512-${createHash('sha512').update(archive).digest('base64')}` === integrity
}

/**
 * The files of a package made for another platform, which npm would not install here: from the cache, else fetched
 * through npm; either way only if it is the one that the lock file pins.
 */
export async function packageFiles(
  cache: string,
  pinned: PinnedPackage,
): Promise<ReadonlyMap<string, Buffer>> {
  const kept = join(cache, `${pinned.name.replaceAll(/[@/]/g, '-')}-${pinned.version}.tgz`)
  let archive: Buffer | undefined = await readFile(kept).catch(() => undefined)
  if (!archive || !isPinned(archive, pinned)) archive = await fetchPackage(cache, pinned, kept)
  const files = new Map<string, Buffer>()
  for (const { name, data } of readTar(await decompress(archive))) {
    files.set(name.replace(/^[^/]+\//, ''), data)
  }
  return files
}

async function fetchPackage(cache: string, pinned: PinnedPackage, kept: string): Promise<Buffer> {
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'fetch-'))
  try {
    const spec = `${pinned.name}@${pinned.version}`
    const args = ['pack', spec, '--pack-destination', folder, '--json', '--loglevel=error']
    const { stdout } = await run('npm', args, { cwd: folder, shell: process.platform === 'win32' })
    const [packed] = JSON.parse(stdout) as { filename: string }[]
    if (!packed) throw new Error(`npm pack ${spec} brought nothing`)
    const file = join(folder, packed.filename)
    const archive = await readFile(file)
    if (!isPinned(archive, pinned)) {
      throw new Error(`${spec} as the registry serves it is not what package-lock.json pins`)
    }
    await rename(file, kept)
    return archive
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
