import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'

/** One package whose code is in an artefact, with the licence text that must travel with it. */
export interface Notice {
  readonly name: string
  readonly version: string
  readonly licence: string
  readonly text: string
}

/** The packages that a bundle really contains, sorted by name; a package without a licence is an error. */
export async function bundledPackages(root: string, metafile: Metafile): Promise<Notice[]> {
  const folders = new Set<string>()
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder)
    }
  }
  const notices = await Promise.all([...folders].map((folder) => noticeOf(join(root, folder))))
  return notices.toSorted((a, b) => compare(`${a.name}@${a.version}`, `${b.name}@${b.version}`))
}

async function noticeOf(folder: string): Promise<Notice> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license?: string
    author?: string | { name: string }
  }
  const { name, version, license } = manifest
  if (license === undefined) throw new Error(`${name}@${version} names no licence in its package.json`)
  const files = (await readdir(folder))
    .filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file))
    .toSorted()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const author = typeof manifest.author === 'string' ? manifest.author : manifest.author?.name
  const fallback = `Copyright ${author ?? `the authors of ${name}`}`
  return { name, version, licence: license, text: texts.map((text) => text.trim()).join('\n\n') || fallback }
}

/** One plain-text file of all notices. */
export function renderNotices(notices: readonly Notice[]): string {
  const blocks = notices.map(
    ({ name, version, licence, text }) =>
      `${name} ${version} (${licence})\n\n${text.replaceAll('\r\n', '\n')}\n`,
  )
  const rule = `\n${'-'.repeat(80)}\n\n`
  return `deckwatch contains the following third-party software.\n${rule}${blocks.join(rule)}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
