import type { Change } from '../../../src/core/wire/change.ts'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import type { KubectlOptions, KubectlResult } from '../kubernetes/kubectl.ts'
import { kubectlWithPlugins } from './plugin-environment.ts'

/** `kubectl blame` on one cluster, through the real kubectl. */
export class KubectlBlame {
  readonly #cluster: ControlPlane

  constructor(cluster: ControlPlane) {
    this.#cluster = cluster
  }

  /** Runs it to its end; a bad exit code is an answer. */
  run(args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    return kubectlWithPlugins(this.#cluster, ['blame', ...args], options)
  }

  /** The Change objects of its `-o json`; throws when it fails. */
  async changes(args: readonly string[], options: KubectlOptions = {}): Promise<Change[]> {
    const { stdout, stderr, exitCode } = await this.run([...args, '-o', 'json'], options)
    if (exitCode !== 0) throw new Error(`kubectl blame ${args.join(' ')}: ${exitCode}: ${stderr}`)
    return (JSON.parse(stdout) as { items: Change[] }).items
  }
}
