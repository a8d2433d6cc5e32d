import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { readTar } from '../release/tar.ts'
import { PrivateApt } from './private-apt.ts'

const run = promisify(execFile)
const PINS = join(import.meta.dirname, 'debian-packages.json')

/** Which packages of Debian are in the image, each by version and checksum, by architecture and name. */
export interface DebianPins {
  /** Debian's name of the release: `bookworm`. */
  readonly release: string
  readonly packages: Readonly<Record<string, Readonly<Record<string, DebianPin>>>>
}

/** One package as it is pinned; `sha256` in hexadecimal. */
export interface DebianPin {
  readonly version: string
  readonly sha256: string
}

/** A package of Debian, opened. */
export interface DebianPackage extends DebianPin {
  readonly name: string
  /** Its paragraph of dpkg's database. */
  readonly control: string
  /** Its regular files by their path from the root, without a leading slash. */
  readonly files: ReadonlyMap<string, Buffer>
}

/** What to bring, and where it is kept. */
export interface DebianRequest {
  readonly pins: DebianPins
  readonly architecture: string
  readonly cache: string
  /** Takes the release's newest instead of what is pinned. */
  readonly newest?: boolean
  readonly onProgress: (line: string) => void
}

/**
 * Brings the pinned packages of one architecture from the cache, else from this machine's Debian mirror. A mirror keeps
 * the newest versions only: where a security update has replaced a pinned one, the update is taken and said.
 */
export async function debianPackages(request: DebianRequest): Promise<DebianPackage[]> {
  const { pins, architecture, cache, newest = false, onProgress } = request
  const found: DebianPackage[] = []
  const missing: [string, DebianPin][] = []
  for (const [name, pin] of Object.entries(pins.packages[architecture] ?? {})) {
    const kept = join(cache, `${pin.sha256}.deb`)
    const data = newest ? undefined : await readFile(kept).catch(() => undefined)
    if (data && digest(data) === pin.sha256) found.push(await open(name, kept, pin.sha256))
    else missing.push([name, pin])
  }
  if (missing.length === 0) return inOrder(found)
  onProgress(`reading Debian ${pins.release}'s package lists for ${architecture}`)
  const apt = await PrivateApt.open(pins.release, [architecture])
  try {
    await mkdir(cache, { recursive: true })
    for (const [name, pin] of missing) {
      const spec = `${name}:${architecture}`
      const exact = newest ? undefined : await apt.download(`${spec}=${pin.version}`).catch(() => undefined)
      const brought = await keep(cache, name, exact ?? (await apt.download(spec)))
      if (brought.version === pin.version && brought.sha256 !== pin.sha256) {
        throw new Error(`${spec} ${pin.version} as the mirror serves it is not what is pinned`)
      }
      if (brought.version !== pin.version && !newest) {
        onProgress(
          `Debian has replaced ${spec} ${pin.version}, which is pinned, by ${brought.version}: that is taken, and ` +
            'the digest is not that of other builds; --update-packages pins it',
        )
      }
      found.push(brought)
    }
  } finally {
    await apt.close()
  }
  return inOrder(found)
}

/** The pins as the repository has them. */
export async function readPins(): Promise<DebianPins> {
  return JSON.parse(await readFile(PINS, 'utf8')) as DebianPins
}

/** Pins the newest packages of every architecture; `cache` keeps them. */
export async function updatePins(cache: string, onProgress: (line: string) => void): Promise<void> {
  const pins = await readPins()
  const packages: Record<string, Record<string, DebianPin>> = {}
  for (const architecture of Object.keys(pins.packages)) {
    const brought = await debianPackages({ pins, architecture, cache, newest: true, onProgress })
    packages[architecture] = Object.fromEntries(
      brought.map(({ name, version, sha256 }) => [name, { version, sha256 }]),
    )
  }
  await writeFile(PINS, `${JSON.stringify({ ...pins, packages }, undefined, 2)}\n`)
}

/** What was in the cache and what was not must not be seen in the result. */
function inOrder(packages: readonly DebianPackage[]): DebianPackage[] {
  return packages.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

async function keep(cache: string, name: string, file: string): Promise<DebianPackage> {
  const data = await readFile(file)
  const sha256 = digest(data)
  const kept = join(cache, `${sha256}.deb`)
  const partial = `${kept}.${process.pid}`
  await writeFile(partial, data)
  await rename(partial, kept)
  return open(name, kept, sha256)
}

async function open(name: string, file: string, sha256: string): Promise<DebianPackage> {
  const { stdout: control } = await run('dpkg-deb', ['--field', file])
  const { stdout } = await run('dpkg-deb', ['--fsys-tarfile', file], {
    encoding: 'buffer',
    maxBuffer: 256 << 20,
  })
  const version = /^Version: (.*)$/m.exec(control)?.[1]
  if (version === undefined) throw new Error(`${file} has no version`)
  const files = new Map([...readTar(stdout)].map(({ name: path, data }) => [path.replace(/^\.\//, ''), data]))
  return { name, version, sha256, control, files }
}

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
