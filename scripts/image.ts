import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseImageReference } from '../src/core/model/image-reference.ts'
import { bundleServer } from './bundle/server-bundle.ts'
import { buildImage, defaultReference, imageCache } from './image/build-image.ts'
import { updatePins } from './image/debian-packages.ts'
import { ociArchive, type PackedImage } from './image/oci-archive.ts'
import { PLATFORMS } from './image/platforms.ts'

const USAGE = `usage: npm run image -- [flags]

Makes the companion's container image without Docker: deckwatch-amd64.tar and deckwatch-arm64.tar, each an OCI layout
in one file, which \`ctr images import\` and \`skopeo copy oci-archive:\` take, and deckwatch.tar with both for a registry:
\`skopeo copy --all oci-archive:dist/image/deckwatch.tar docker://ghcr.io/deckwatch/deckwatch:VERSION\`.

  --platform amd64|arm64   only this one (default: both, and both together)
  --reference NAME:TAG     what the image is called (default: ghcr.io/deckwatch/deckwatch:VERSION)
  --out FOLDER             where the archives go (default: dist/image)
  --update-packages        pins the newest versions of Debian's packages first
`

const root = fileURLToPath(new URL('..', import.meta.url))

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`error: ${(error as Error).message}`)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const { values: options } = parseArgs({
    options: {
      platform: { type: 'string' },
      reference: { type: 'string', default: defaultReference(version) },
      out: { type: 'string', default: join(root, 'dist/image') },
      'update-packages': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const wanted = options.platform?.replace(/^linux\//, '')
  const platforms = PLATFORMS.filter(({ architecture }) => wanted === undefined || wanted === architecture)
  if (platforms.length === 0) {
    const known = PLATFORMS.map(({ architecture }) => architecture).join(' or ')
    console.error(`error: --platform ${wanted}: it is ${known}`)
    return 2
  }
  const { key: reference, tag, digest } = parseImageReference(options.reference)
  if (tag === '' || digest !== '') {
    console.error(`error: --reference ${options.reference} is no image name with a tag`)
    return 2
  }
  const onProgress = (line: string): void => console.error(line)
  if (options['update-packages']) await updatePins(imageCache(process.env), onProgress)
  const bundle = await bundleServer(root)
  const out = resolve(options.out)
  await mkdir(out, { recursive: true })
  const save = async (name: string, images: readonly PackedImage[], what: string): Promise<void> => {
    const file = join(out, name)
    await writeFile(`${file}.partial`, ociArchive(reference, images))
    await rename(`${file}.partial`, file)
    console.log(`${relative(root, file)}: ${what}`)
  }
  const images: PackedImage[] = []
  for (const platform of platforms) {
    const image = await buildImage({ root, platform, bundle, onProgress })
    images.push(image)
    const size = (image.transferBytes / 1e6).toFixed(1)
    const what = `${size} MB compressed, ${reference} ${image.manifest.digest}`
    await save(`deckwatch-${platform.architecture}.tar`, [image], what)
  }
  if (images.length > 1) await save('deckwatch.tar', images, `${reference} for every platform`)
  return 0
}
