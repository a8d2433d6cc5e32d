import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { makeRequiresLazy } from './lazy-requires.ts'

/** Which file of oclif holds what our commands may import from its index, which itself loads 158 modules. */
const OCLIF_PARTS: Readonly<Record<string, string>> = {
  Args: 'args',
  Command: 'command',
  CommandHelp: 'help',
  Errors: 'errors',
  Flags: 'flags',
  Help: 'help',
  Parser: 'parser',
  ux: 'ux',
}
const NAMESPACES = new Set(['Args', 'Errors', 'Flags', 'Parser'])

/** Where the sources are and where the one-file CLI goes. */
export interface BundleOptions {
  readonly root: string
  readonly outfile: string
}

/** Bundles `bin/deckwatch.ts` with everything it uses into one CommonJS file and tells what went into it. */
export async function bundle({ root, outfile }: BundleOptions): Promise<Metafile> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const result = await build({
    absWorkingDir: root,
    entryPoints: ['bin/deckwatch.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    metafile: true,
    logLevel: 'warning',
    define: {
      // Bun would write the folder of the build machine in its place; only fallbacks that we never reach read it.
      __dirname: JSON.stringify('/'),
      'process.env.NODE_ENV': '"production"',
      'process.env.DECKWATCH_VERSION': JSON.stringify(version),
    },
    plugins: [slimOclif, lazyOclif, leaveOut, globalProcess],
  })
  return result.metafile
}

/** Narrows `@oclif/core` to getters, so that a part is loaded when it is first used. */
const slimOclif: Plugin = {
  name: 'slim-oclif',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^@oclif\/core$/ }, ({ resolveDir }) => ({
      path: '@oclif/core',
      namespace: 'slim-oclif',
      pluginData: resolveDir,
    }))
    pluginBuild.onLoad({ filter: /.*/, namespace: 'slim-oclif' }, ({ pluginData }) => ({
      contents: Object.entries(OCLIF_PARTS)
        .map(([name, part]) => {
          const value = `require('@oclif/core/${part}')${NAMESPACES.has(name) ? '' : `.${name}`}`
          return `Object.defineProperty(exports, '${name}', { enumerable: true, get: () => ${value} })`
        })
        .join('\n'),
      loader: 'js',
      resolveDir: pluginData as string,
    }))
  },
}

const lazyOclif: Plugin = {
  name: 'lazy-oclif',
  setup(pluginBuild) {
    pluginBuild.onLoad({ filter: /[\\/]@oclif[\\/]core[\\/]lib[\\/].*\.js$/ }, async ({ path }) => ({
      contents: makeRequiresLazy(withoutListener(path, await readFile(path, 'utf8'))),
      loader: 'js',
    }))
  },
}

/** Loads plugins from the disk and runs from sources: parts of oclif that our commands, being bundled, never enter. */
const NEVER_ENTERED = /^(?:lilconfig|minimatch|tinyglobby|typescript)$/

/** Leaves out what only those parts load; the compiler would look for the remains of it in node_modules. */
const leaveOut: Plugin = {
  name: 'leave-out',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: NEVER_ENTERED }, ({ path }) => ({ path, namespace: 'left-out' }))
    pluginBuild.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `throw new Error('${path} is not part of deckwatch')`,
    }))
  },
}

// The first touch of process.stdout costs Bun 10 ms, and our commands write to the descriptor itself.
function withoutListener(path: string, source: string): string {
  if (!/[\\/]lib[\\/]command\.js$/.test(path)) return source
  const without = source.replace(/^process\.stdout\.on\('error'.*?^\}\);$/ms, '')
  if (without === source) throw new Error(`${path}: no listener on process.stdout where there was one`)
  return without
}

/**
 * Gives the global object to those who import `node:process`: esbuild would copy a module's properties one by one,
 * which makes Bun open all three standard streams, for 15 ms.
 */
const globalProcess: Plugin = {
  name: 'global-process',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^node:process$/ }, ({ path }) => ({ path, namespace: 'global-process' }))
    pluginBuild.onLoad({ filter: /.*/, namespace: 'global-process' }, () => ({
      contents: 'export default globalThis.process',
    }))
  },
}
