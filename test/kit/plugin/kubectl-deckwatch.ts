import type { ControlPlane } from '../kubernetes/control-plane.ts'
import type { KubectlOptions, KubectlResult } from '../kubernetes/kubectl.ts'
import { kubectlWithPlugins } from './plugin-environment.ts'

/** Runs `kubectl deckwatch ARGS` on a cluster to its end, through the real kubectl; a bad exit code is an answer. */
export function kubectlDeckwatch(
  cluster: ControlPlane,
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<KubectlResult> {
  return kubectlWithPlugins(cluster, ['deckwatch', ...args], options)
}
