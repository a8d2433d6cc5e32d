import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { parse } from 'yaml'
import type { ArchiveEntry } from './archive-entry.ts'

/** The name of the chart's package of a version; the one that `helm package` would give it is the npm package's. */
export function chartPackageName(version: string): string {
  return `deckwatch-chart-${version}.tgz`
}

/** The files of the Helm chart in a folder as they stand in its package; throws where it is not of this version. */
export async function chartEntries(folder: string, version: string): Promise<ArchiveEntry[]> {
  const chart = parse(await readFile(join(folder, 'Chart.yaml'), 'utf8')) as Record<string, unknown>
  for (const field of ['version', 'appVersion']) {
    if (chart[field] !== version)
      throw new Error(`the chart's ${field} is ${String(chart[field])}, not ${version}`)
  }
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((each) =>
    each.isFile(),
  )
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name)
      const inChart = relative(folder, path).split(sep).join('/')
      return { name: `${String(chart['name'])}/${inChart}`, mode: 0o644, data: await readFile(path) }
    }),
  )
}
