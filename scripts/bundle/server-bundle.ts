import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Metafile } from 'esbuild'

/** The companion as one file. */
export interface ServerBundle {
  readonly program: Buffer
  /** What went into it. */
  readonly metafile: Metafile
}

/** Bundles `server/main.ts` with everything it uses into one CommonJS file; the same sources give the same bytes. */
export async function bundleServer(root: string, entry = 'server/main.ts'): Promise<ServerBundle> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(root, 'dist/deckwatch-server.cjs'),
    write: false,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // Names and lines stay: a stack trace in a log is all that is left of a crash in a cluster.
    minify: false,
    legalComments: 'none',
    charset: 'utf8',
    metafile: true,
    logLevel: 'warning',
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.DECKWATCH_VERSION': JSON.stringify(version),
    },
  })
  const [output] = outputFiles
  if (!output) throw new Error('esbuild gave no output')
  return { program: Buffer.from(output.contents), metafile }
}
