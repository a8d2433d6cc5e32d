import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { bundleServer } from '../../scripts/bundle/server-bundle.ts'
import { buildImage, defaultReference } from '../../scripts/image/build-image.ts'
import { ociArchive } from '../../scripts/image/oci-archive.ts'
import { PLATFORMS } from '../../scripts/image/platforms.ts'
import { keptFolder } from './go-build.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const KEPT_MS = 3_600_000

/** The companion's image as a file for `node.importArchive`, and the name under which pods then find it. */
export interface CompanionImage {
  readonly archive: string
  readonly reference: string
}

/**
 * The image of the companion as it stands in this tree, for this machine's architecture. The first one on a machine
 * takes half a minute, one of changed sources a few seconds, and one that was made before is there already.
 */
export async function companionImage(): Promise<CompanionImage> {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const platform = PLATFORMS.find((candidate) => candidate.architecture === architecture)
  if (!platform) throw new Error(`there is no image for ${process.arch}`)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const reference = defaultReference(version)

  const bundle = await bundleServer(root)
  const recipe = globSync(
    ['package.json', 'package-lock.json', 'scripts/{image,bundle,release}/*.{ts,json}'],
    {
      cwd: root,
    },
  )
  const hash = createHash('sha256').update(bundle.program)
  for (const path of recipe.toSorted()) hash.update(readFileSync(join(root, path)))
  const folder = keptFolder('companion-image')
  const archive = join(folder, `${architecture}-${hash.digest('hex').slice(0, 16)}.tar`)
  if (existsSync(archive)) return { archive, reference }

  const onProgress = (line: string) => process.stderr.write(`${line}\n`)
  const image = await buildImage({ root, platform, bundle, onProgress })
  mkdirSync(folder, { recursive: true })
  removeOld(folder)
  const partial = `${archive}.${process.pid}`
  await writeFile(partial, ociArchive(reference, [image]))
  await rename(partial, archive)
  return { archive, reference }
}

/** Each is 40 MB, and every change of the sources makes another. */
function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity)
    if (age > KEPT_MS) rmSync(path, { force: true })
  }
}
