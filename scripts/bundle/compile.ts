import { execFile } from 'node:child_process'
import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const { resolve: resolveModule } = createRequire(import.meta.url)

/** The npm package that holds Bun's executable for one platform, and what `bun build --target` calls it. */
export interface BunRuntime {
  readonly package: string
  readonly file: string
  readonly target: string
}

/** Bun's executables by `process.platform`-`process.arch`; Intel Macs are left out, see scripts/release/targets.ts. */
export const BUN_RUNTIMES: Readonly<Record<string, BunRuntime>> = {
  'linux-x64': { package: '@oven/bun-linux-x64-baseline', file: 'bin/bun', target: 'bun-linux-x64-baseline' },
  'linux-arm64': { package: '@oven/bun-linux-aarch64', file: 'bin/bun', target: 'bun-linux-arm64' },
  'darwin-arm64': { package: '@oven/bun-darwin-aarch64', file: 'bin/bun', target: 'bun-darwin-arm64' },
  'win32-x64': {
    package: '@oven/bun-windows-x64-baseline',
    file: 'bin/bun.exe',
    target: 'bun-windows-x64-baseline',
  },
  'win32-arm64': { package: '@oven/bun-windows-aarch64', file: 'bin/bun.exe', target: 'bun-windows-arm64' },
}

/** The Bun executable that npm installed for this machine; undefined where there is none. */
export function installedBun(): { readonly executable: string; readonly runtime: BunRuntime } | undefined {
  const runtime = BUN_RUNTIMES[`${process.platform}-${process.arch}`]
  if (runtime === undefined) return undefined
  try {
    const executable = join(dirname(resolveModule(`${runtime.package}/package.json`)), runtime.file)
    return { executable, runtime }
  } catch {
    return undefined
  }
}

/** One compilation: `bun` runs here, `executable` of `target` is what the bundle is put into. */
export interface CompileOptions {
  readonly bun: string
  readonly executable: string
  readonly target: string
  readonly bundle: string
  readonly outfile: string
}

/** Makes one self-contained executable of a CommonJS bundle; the same input gives the same bytes anywhere. */
export async function compile({ bun, executable, target, bundle, outfile }: CompileOptions): Promise<void> {
  const stage = join(dirname(outfile), `.compile-${process.pid}-${basename(target)}`)
  await mkdir(stage, { recursive: true })
  try {
    // Bun writes the way from its working directory to the bundle into the executable.
    await copyFile(bundle, join(stage, 'deckwatch.cjs'))
    await run(
      bun,
      [
        'build',
        '--compile',
        '--minify',
        // Bytecode halves the start: 12 ms in place of 29 for `--version`, for 3 MB more.
        '--bytecode',
        `--target=${target}`,
        `--compile-executable-path=${executable}`,
        // Without these two the binary would run the preloads of a bunfig.toml and take KUBECONFIG from a .env in
        // whatever folder it is called in.
        '--no-compile-autoload-dotenv',
        '--no-compile-autoload-bunfig',
        'deckwatch.cjs',
        '--outfile',
        basename(outfile),
      ],
      { cwd: stage },
    )
    // A rename leaves alone the file that a running process was started from.
    await rename(join(stage, basename(outfile)), outfile)
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}
