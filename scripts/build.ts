import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
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
// What is made is renamed into place: others may be running what was built before.
const stage = await mkdtemp(join(dist, '.new-'))
try {
  await build()
} finally {
  await rm(stage, { recursive: true, force: true })
}

async function build(): Promise<void> {
  const metafile = await bundle({ root, outfile: join(stage, 'deckwatch.cjs') })
  await rename(join(stage, 'deckwatch.cjs'), join(dist, 'deckwatch.cjs'))
  await put(join(dist, 'THIRD-PARTY-NOTICES.txt'), renderNotices(await bundledPackages(root, metafile)))
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
    await put(program, shellLauncher({ node: '../../node_modules/.bin/node', packageFolder: '../..' }), 0o755)
    console.log(`no Bun package for ${process.platform}-${process.arch}: dist/bin starts the bundle on Node`)
  }
  // The names under which kubectl finds plugins on PATH are those that npm would link.
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    bin: Record<string, string>
  }
  for (const plugin of Object.keys(manifest.bin)) {
    const link = join(bin, process.platform === 'win32' ? `${plugin}.exe` : plugin)
    await symlink(basename(program), join(stage, 'link'))
    await rename(join(stage, 'link'), link)
  }

  const server = await bundleServer(root)
  await put(join(dist, 'deckwatch-server.cjs'), server.program)
  const serverNotices = renderNotices(await bundledPackages(root, server.metafile))
  await put(join(dist, 'THIRD-PARTY-NOTICES-server.txt'), serverNotices)
  await say('dist/deckwatch-server.cjs', join(dist, 'deckwatch-server.cjs'))
  await put(
    join(bin, 'deckwatch-server'),
    programLauncher({
      node: '../../node_modules/.bin/node',
      nodeFlags: SERVER_NODE_FLAGS,
      program: '../deckwatch-server.cjs',
    }),
    0o755,
  )
  console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s; plugins: PATH=dist/bin:$PATH`)
}

async function put(file: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const made = join(stage, basename(file))
  await writeFile(made, content)
  await chmod(made, mode)
  await rename(made, file)
}

async function say(what: string, file: string): Promise<void> {
  console.log(`${what}: ${((await stat(file)).size / 1e6).toFixed(2)} MB`)
}
