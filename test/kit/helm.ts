import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildOnce, checkGo, keptFolder, runGo } from './go-build.ts'
import { skip } from './skip.ts'

const MODULE = 'helm.sh/helm/v4/cmd/helm'
const VERSION = 'v4.3.1'
const GO_NEEDED = '1.26'
const BUILD_LIMIT_MS = 20 * 60_000

/** For a suite's `before`: Helm's path, built once per machine; its tests count as skipped where there is no Go. */
export async function requireHelm(context: Mocha.Context): Promise<string> {
  // The first run on a machine builds Helm.
  context.timeout(BUILD_LIMIT_MS)
  const target = keptFolder(`helm-${VERSION}-${process.arch}`)
  if (!existsSync(target)) {
    const reason = await checkGo('Helm', GO_NEEDED).then(
      () => undefined,
      (error: Error) => error.message,
    )
    if (reason !== undefined) skip(context, reason)
  }
  await buildOnce({
    name: 'Helm',
    version: VERSION,
    go: GO_NEEDED,
    target,
    cost: 'about three minutes on two cores',
    build: async (folder) => {
      const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w']
      // The checksum database vouches for what a module version that no go.sum names holds.
      await runGo(['install', ...flags, `${MODULE}@${VERSION}`], { environment: { GOBIN: folder } })
    },
  })
  return join(target, 'helm')
}

/** What a run of Helm is given. */
export interface HelmOptions {
  /** Without it Helm reaches no cluster: nobody's own kubeconfig is read. */
  readonly kubeconfig?: string
  readonly input?: string
}

/** What a run of Helm printed, and how it ended. */
export interface HelmResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** Runs the Helm at `path`, with `folder` for everything that it keeps; an exit code is a result, no error. */
export function helm(
  path: string,
  folder: string,
  args: readonly string[],
  { kubeconfig = '/dev/null', input = '' }: HelmOptions = {},
): Promise<HelmResult> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_DATA_HOME: join(folder, 'data'),
    KUBECONFIG: kubeconfig,
  }
  return new Promise((resolve, reject) => {
    const child = execFile(path, args, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error)
      else resolve({ stdout, stderr, exitCode: typeof error?.code === 'number' ? error.code : 0 })
    })
    // One that ends without reading it is no failure.
    child.stdin?.on('error', () => {}).end(input)
  })
}
