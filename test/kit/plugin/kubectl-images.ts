import type { ControlPlane } from '../kubernetes/control-plane.ts'
import type { KubectlOptions, KubectlResult } from '../kubernetes/kubectl.ts'
import { kubectlWithPlugins } from './plugin-environment.ts'

/** `kubectl images` on one cluster, through the real kubectl. */
export class KubectlImages {
  readonly #cluster: ControlPlane

  constructor(cluster: ControlPlane) {
    this.#cluster = cluster
  }

  /** Runs it to its end; a bad exit code is an answer. */
  run(args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    return kubectlWithPlugins(this.#cluster, ['images', ...args], options)
  }

  /** The items of its `-o json`; throws when it fails. */
  async items<Item>(args: readonly string[]): Promise<Item[]> {
    const { stdout, stderr, exitCode } = await this.run([...args, '-o', 'json'])
    if (exitCode !== 0) throw new Error(`kubectl images ${args.join(' ')}: ${exitCode}: ${stderr}`)
    return (JSON.parse(stdout) as { items: Item[] }).items
  }

  /** The lines of its `-o name`. */
  async names(args: readonly string[]): Promise<string[]> {
    const { stdout } = await this.run([...args, '-o', 'name'])
    return stdout.split('\n').filter((line) => line !== '')
  }
}

/** The words of a table without borders, line by line. */
export function cells(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))
}
