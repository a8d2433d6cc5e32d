import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle/bundle.ts'
import { compile, installedBun } from './bundle/compile.ts'
import { bundledPackages, renderNotices } from './bundle/notices.ts'
import { bundleServer } from './bundle/server-bundle.ts'
import { SERVER_NODE_FLAGS } from './bundle/server-node-flags.ts'
import { programLauncher, shellLauncher } from './bundle/shell-launcher.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const bin = join(dist, 'bin')
const program = join(bin, process.platform === 'win32' ? 'deckwatch.exe' : 'deckwatch')

const started = performance.now()
await mkdir(bin, { recursive: true })
const metafile = await bundle({ root, outfile: join(dist, 'deckwatch.cjs') })
await writeFile(join(dist, 'THIRD-PARTY-NOTICES.txt'), renderNotices(await bundledPackages(root, metafile)))
await say('dist/deckwatch.cjs', join(dist, 'deckwatch.cjs'))

const bun = installedBun()
if (bun) {
  await compile({
    bun: bun.executable,
    executable: bun.executable,
    target: bun.runtime.target,
    bundle: join(dist, 'deckwatch.cjs'),
    outfile: program,
  })
  await say('dist/bin/deckwatch, compiled', program)
} else {
  await writeFile(program, shellLauncher({ node: '../../node_modules/.bin/node', packageFolder: '../..' }))
  await chmod(program, 0o755)
  console.log(`no Bun package for ${process.platform}-${process.arch}: dist/bin starts the bundle on Node`)
}
// The names under which kubectl finds plugins on PATH are those that npm would link.
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  bin: Record<string, string>
}
for (const plugin of Object.keys(manifest.bin)) {
  const link = join(bin, process.platform === 'win32' ? `${plugin}.exe` : plugin)
  await rm(link, { force: true })
  await symlink(program.slice(bin.length + 1), link)
}

const server = await bundleServer(root)
await writeFile(join(dist, 'deckwatch-server.cjs'), server.program)
const serverNotices = renderNotices(await bundledPackages(root, server.metafile))
await writeFile(join(dist, 'THIRD-PARTY-NOTICES-server.txt'), serverNotices)
await say('dist/deckwatch-server.cjs', join(dist, 'deckwatch-server.cjs'))
const serverLauncher = join(bin, 'deckwatch-server')
await writeFile(
  serverLauncher,
  programLauncher({
    node: '../../node_modules/.bin/node',
    nodeFlags: SERVER_NODE_FLAGS,
    program: '../deckwatch-server.cjs',
  }),
)
await chmod(serverLauncher, 0o755)
console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s; plugins: PATH=dist/bin:$PATH`)

async function say(what: string, file: string): Promise<void> {
  console.log(`${what}: ${((await stat(file)).size / 1e6).toFixed(2)} MB`)
}
