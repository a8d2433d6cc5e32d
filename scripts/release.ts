import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle } from './bundle/bundle.ts'
import { compile, installedBun } from './bundle/compile.ts'
import { bundledPackages, renderNotices, type Notice } from './bundle/notices.ts'
import { shellLauncher } from './bundle/shell-launcher.ts'
import type { ArchiveEntry } from './release/archive-entry.ts'
import { chartEntries, chartPackageName } from './release/chart-package.ts'
import { checkCodeSignature } from './release/code-signature.ts'
import { krewManifests, type Archive } from './release/krew-manifests.ts'
import { publishedManifest } from './release/published-manifest.ts'
import { bunNotice, nodeNotice } from './release/runtime-notices.ts'
import { packageFiles, pinnedPackage, runtimeCache } from './release/runtimes.ts'
import { archiveName, TARGETS, type Target } from './release/targets.ts'
import { writeTarGz } from './release/tar.ts'
import { writeZip } from './release/zip.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'dist/release') } },
})
const out = resolve(options.out)

const started = performance.now()
await rm(out, { recursive: true, force: true })
await mkdir(out, { recursive: true })
const stage = await mkdtemp(join(out, '.stage-'))
try {
  await release()
} finally {
  await rm(stage, { recursive: true, force: true })
}
console.log(`released in ${((performance.now() - started) / 1000).toFixed(0)} s into ${out}`)

async function release(): Promise<void> {
  const manifest = await readFile(join(root, 'package.json'), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  const bundleFile = join(stage, 'deckwatch.cjs')
  const packages = await bundledPackages(root, await bundle({ root, outfile: bundleFile }))
  const papers = await entriesOf(['LICENSE', 'README.md'])
  const program = [
    ...(await entriesOf(globSync('bin/*.cjs', { cwd: root }))),
    file('dist/deckwatch.cjs', await readFile(bundleFile)),
  ]

  const archives: Archive[] = []
  const queue = [...TARGETS]
  const work = async (): Promise<void> => {
    for (let target = queue.shift(); target; target = queue.shift()) {
      const { entries, notice } = await programFor(target, bundleFile, program)
      const all = [...entries, ...papers, noticesFile([...packages, notice])]
      const name = archiveName(target, version)
      const sha256 = await save(name, target.os === 'windows' ? await writeZip(all) : await writeTarGz(all))
      archives.push({ target, name, sha256 })
    }
  }
  // Compressing takes most of the time and runs beside JavaScript: two at once keep two cores busy.
  await Promise.all([work(), work()])

  const npmPackage = [
    file('package.json', Buffer.from(publishedManifest(manifest))),
    ...program,
    ...papers,
    ...(await entriesOf(globSync('CHANGELOG.md', { cwd: root }))),
    noticesFile(packages),
  ]
  const npmName = `deckwatch-${version}.tgz`
  const npmSum = await save(
    npmName,
    await writeTarGz(npmPackage.map((entry) => ({ ...entry, name: `package/${entry.name}` }))),
  )
  const chartName = chartPackageName(version)
  const chartSum = await save(
    chartName,
    await writeTarGz(await chartEntries(join(root, 'server/deploy/chart'), version)),
  )
  const sums = [
    ...archives.map(({ name, sha256 }) => [name, sha256] as const),
    [npmName, npmSum] as const,
    [chartName, chartSum] as const,
  ]
  await writeFile(
    join(out, 'SHA256SUMS'),
    sums
      .map(([name, sum]) => `${sum}  ${name}\n`)
      .toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
      .join(''),
  )
  const template = await readFile(join(root, 'krew-manifest.yaml'), 'utf8')
  const inOrder = TARGETS.flatMap((target) => archives.filter((archive) => archive.target === target))
  for (const [name, text] of krewManifests(template, version, inOrder)) await writeFile(join(out, name), text)
}

/** What makes deckwatch run on a target: one compiled program, or Node with a launcher. */
async function programFor(
  target: Target,
  bundleFile: string,
  program: readonly ArchiveEntry[],
): Promise<{ readonly entries: readonly ArchiveEntry[]; readonly notice: Notice }> {
  const { runtime } = target
  const pinned = pinnedPackage(await readFile(join(root, 'package-lock.json'), 'utf8'), runtime.package)
  const files = await packageFiles(runtimeCache(process.env), pinned)
  const executable = files.get(runtime.file)
  if (!executable) throw new Error(`${pinned.name}@${pinned.version} holds no ${runtime.file}`)
  if (runtime.kind === 'node') {
    checkSignature(target, executable)
    const launcher = Buffer.from(shellLauncher({ node: 'node', packageFolder: '.' }))
    const licence = files.get('LICENSE')
    if (!licence) throw new Error(`${pinned.name}@${pinned.version} holds no LICENSE`)
    return {
      entries: [file('deckwatch', launcher, 0o755), file('node', executable, 0o755), ...program],
      notice: nodeNotice(pinned.version, licence.toString('utf8')),
    }
  }
  const compiler = installedBun()
  if (!compiler) throw new Error(`no Bun package for ${process.platform}-${process.arch} to compile with`)
  const name = target.os === 'windows' ? 'deckwatch.exe' : 'deckwatch'
  const folder = join(stage, `${target.os}-${target.arch}`)
  await mkdir(folder)
  const runtimeFile = join(folder, 'runtime')
  await writeFile(runtimeFile, executable)
  await chmod(runtimeFile, 0o755)
  await compile({
    bun: compiler.executable,
    executable: runtimeFile,
    target: runtime.target,
    bundle: bundleFile,
    outfile: join(folder, name),
  })
  const compiled = await readFile(join(folder, name))
  await rm(folder, { recursive: true })
  if (target.os === 'darwin') checkSignature(target, compiled)
  return { entries: [file(name, compiled, 0o755)], notice: await bunNotice(root, pinned.version) }
}

/** Refuses to ship what macOS would kill. */
function checkSignature({ os, arch }: Target, executable: Buffer): void {
  const { pages, bad } = checkCodeSignature(executable)
  if (bad > 0) throw new Error(`${os}/${arch}: ${bad} of ${pages} signed pages have the wrong hash`)
  console.log(`${os}/${arch}: signature covers ${pages} pages, all good`)
}

async function entriesOf(names: readonly string[]): Promise<ArchiveEntry[]> {
  return Promise.all(
    names.map(async (name) => {
      const data = await readFile(join(root, name))
      return file(name, data, data.subarray(0, 2).toString() === '#!' ? 0o755 : 0o644)
    }),
  )
}

function file(name: string, data: Buffer, mode = 0o644): ArchiveEntry {
  return { name: name.replaceAll('\\', '/'), mode, data }
}

function noticesFile(notices: readonly Notice[]): ArchiveEntry {
  return file('THIRD-PARTY-NOTICES.txt', Buffer.from(renderNotices(notices)))
}

async function save(name: string, data: Buffer): Promise<string> {
  await writeFile(join(out, basename(name)), data)
  console.log(`${name}: ${(data.length / 1e6).toFixed(data.length < 1e5 ? 2 : 1)} MB`)
  return createHash('sha256').update(data).digest('hex')
}
