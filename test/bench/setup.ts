import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { compile, installedBun } from '../../scripts/bundle/compile.ts'
import type { BulkOptions } from '../kit/kubernetes/bulk.ts'
import { seedBulk } from '../kit/kubernetes/bulk.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import type { Command } from './command.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** The programs of this checkout that run in the bench; paths or beginnings of commands. */
export interface Programs {
  /** kubectl-images as it is shipped. */
  readonly compiled: string
  /** The same on Node. */
  readonly onNode: readonly [string, string]
  /** kubectl-blame likewise. */
  readonly blame: { readonly compiled: string; readonly onNode: readonly [string, string] }
  readonly bun: string
  /** programs/bare-get.ts, compiled as the CLI is. */
  readonly bareGet: string
}

/** Finds the built CLI and compiles the floor, which is gone when this process ends; throws where something is missing. */
export async function preparePrograms(): Promise<Programs> {
  const compiled = join(ROOT, 'dist', 'bin', 'kubectl-images')
  const bun = installedBun()
  if (!existsSync(compiled) || !bun)
    throw new Error('the bench needs dist/bin and Bun: npm ci, npm run build')
  const folder = mkdtempSync(join(tmpdir(), 'deckwatch-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const bareGet = join(folder, 'bare-get')
  await build({
    entryPoints: [join(ROOT, 'test', 'bench', 'programs', 'bare-get.ts')],
    outfile: `${bareGet}.cjs`,
    platform: 'node',
    format: 'cjs',
  })
  await compile({
    bun: bun.executable,
    executable: bun.executable,
    target: bun.runtime.target,
    bundle: `${bareGet}.cjs`,
    outfile: bareGet,
  })
  return {
    compiled,
    onNode: [process.execPath, join(ROOT, 'bin', 'kubectl-images.cjs')],
    blame: {
      compiled: join(ROOT, 'dist', 'bin', 'kubectl-blame'),
      onNode: [process.execPath, join(ROOT, 'bin', 'kubectl-blame.cjs')],
    },
    bun: bun.executable,
    bareGet,
  }
}

/** A cluster that is full of pods, and how programs reach it. */
export interface BenchCluster {
  readonly control: ControlPlane
  readonly kubectl: string
  /** The environment of every program that asks this cluster. */
  readonly env: NonNullable<Command['env']>
  /** The environment of `bareGet`. */
  readonly bareEnv: (path: string) => NonNullable<Command['env']>
}

/** Starts a control plane and fills it; the caller stops it. */
export async function startBenchCluster(size: BulkOptions): Promise<BenchCluster> {
  const control = await startControlPlane()
  try {
    await seedBulk(control, size)
  } catch (error) {
    await control.stop()
    throw error
  }
  const admin = control.authority.issue({ commonName: 'bench', organizations: ['system:masters'] })
  const env = {
    KUBECONFIG: control.adminKubeconfig,
    KUBECACHEDIR: control.folder.file('kubectl-cache'),
    XDG_CACHE_HOME: control.folder.file('plugin-cache'),
    // Node and Bun read this file at each start; few people have it set, and kubectl knows nothing of it.
    NODE_EXTRA_CA_CERTS: undefined,
  }
  return {
    control,
    kubectl: control.kubectlPath,
    env,
    bareEnv: (path) => ({
      ...env,
      BARE_URL: control.url + path,
      BARE_CA: control.authority.certificate,
      BARE_CERT: admin.certificate,
      BARE_KEY: admin.key,
    }),
  }
}
