import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import type { KubectlOptions, KubectlResult } from '../kubernetes/kubectl.ts'

/** The folder with the built plugins; throws where nothing was built. */
export function pluginFolder(): string {
  const folder = join(import.meta.dirname, '../../../dist/bin')
  if (!existsSync(join(folder, 'kubectl-images'))) throw new Error('dist/bin is missing: npm run build')
  return folder
}

/** Environment variables with which kubectl finds the built plugins, and these keep their files in `cacheFolder`. */
export function pluginEnvironment(cacheFolder: string): Record<string, string> {
  return {
    PATH: [pluginFolder(), process.env['PATH']].join(delimiter),
    XDG_CACHE_HOME: cacheFolder,
  }
}

/** Runs `kubectl ARGS` with the built plugins on its PATH, as the administrator unless another kubeconfig is given. */
export function kubectlWithPlugins(
  cluster: ControlPlane,
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<KubectlResult> {
  const env = { ...pluginEnvironment(cluster.folder.file('plugin-cache')), ...options.env }
  return cluster.kubectl(args, { ...options, env })
}
