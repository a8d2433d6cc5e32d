import { whyNoKubernetes } from './build.ts'
import type { ControlPlane } from './control-plane.ts'
import { startControlPlane } from './start-control-plane.ts'

const BUILD_LIMIT_MS = 20 * 60_000

/** One thing per process, made when first asked for. */
class Shared<Thing extends { stop(): Promise<void> }> {
  readonly #make: () => Promise<Thing>
  #made: Promise<Thing> | undefined

  constructor(make: () => Promise<Thing>) {
    this.#make = make
  }

  get(): Promise<Thing> {
    this.#made ??= this.#make()
    return this.#made
  }

  async stop(): Promise<void> {
    const made = this.#made
    this.#made = undefined
    // Where the start failed, whoever asked for it knows.
    const thing = await made?.catch(() => undefined)
    await thing?.stop()
  }
}

const controlPlane = new Shared(() => startControlPlane())

/** The control plane that all cluster suites of this process share; each keeps to namespaces of its own. */
export function sharedControlPlane(): Promise<ControlPlane> {
  return controlPlane.get()
}

/** Ends it, if it was started. */
export function stopSharedControlPlane(): Promise<void> {
  return controlPlane.stop()
}

/** For a suite's `before`: lets its tests count as skipped, with the reason on stderr, where there is no Kubernetes. */
export async function requireKubernetes(context: Mocha.Context): Promise<void> {
  // The first run on a machine builds Kubernetes.
  context.timeout(BUILD_LIMIT_MS)
  const reason = await whyNoKubernetes()
  if (reason !== undefined) skip(context, reason)
}

/** The same, and gives the shared control plane. */
export async function requireCluster(context: Mocha.Context): Promise<ControlPlane> {
  await requireKubernetes(context)
  return sharedControlPlane()
}

/** Skips a suite from its `before`, and says why. */
export function skip(context: Mocha.Context, reason: string): never {
  process.stderr.write(`skipped: ${context.test?.parent?.fullTitle() ?? 'a suite'}: ${reason}\n`)
  context.skip()
}
