import { skip } from '../skip.ts'
import { kubernetesBinaries, whyNoKubernetes } from './build.ts'
import type { ControlPlane } from './control-plane.ts'
import type { Node } from './node.ts'
import { startControlPlane } from './start-control-plane.ts'
import { startNode, whyNoNode } from './start-node.ts'

const BUILD_LIMIT_MS = 20 * 60_000

/** A control plane with every controller and a scheduler, and its node. */
export interface NodeCluster {
  readonly cluster: ControlPlane
  readonly node: Node
}

/** One thing per process, made when first asked for. */
class Shared<Thing> {
  readonly #start: () => Promise<Thing>
  readonly #stop: (thing: Thing) => Promise<void>
  #thing: Promise<Thing> | undefined

  constructor(start: () => Promise<Thing>, stop: (thing: Thing) => Promise<void>) {
    this.#start = start
    this.#stop = stop
  }

  get(): Promise<Thing> {
    this.#thing ??= this.#start()
    return this.#thing
  }

  async stop(): Promise<void> {
    // Where the start failed, whoever asked for it knows.
    const thing = await this.#thing?.catch(() => undefined)
    this.#thing = undefined
    if (thing !== undefined) await this.#stop(thing)
  }
}

const controlPlane = new Shared(startControlPlane, (cluster) => cluster.stop())
const nodeCluster = new Shared(startNodeCluster, async ({ cluster, node }) => {
  await node.stop()
  await cluster.stop()
})

/** The control plane that all cluster suites of this process share; each keeps to namespaces of its own. */
function sharedControlPlane(): Promise<ControlPlane> {
  return controlPlane.get()
}

/** The cluster with a real node that all node suites of this process share. */
function sharedNodeCluster(): Promise<NodeCluster> {
  return nodeCluster.get()
}

/** Ends what was started of them; who asks again gets a new one. */
export async function stopShared(): Promise<void> {
  await nodeCluster.stop()
  await controlPlane.stop()
}

/** For a suite's `before`: lets its tests count as skipped, with the reason, where there is no Kubernetes. */
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

/** For a suite's `before`: the same for tests that start a real node of their own, which needs root. */
export async function requireRoot(context: Mocha.Context): Promise<void> {
  await requireKubernetes(context)
  const reason = whyNoNode(await kubernetesBinaries())
  if (reason !== undefined) skip(context, reason)
}

/** The same, and gives the shared cluster with its node. */
export async function requireNode(context: Mocha.Context): Promise<NodeCluster> {
  await requireRoot(context)
  return sharedNodeCluster()
}

async function startNodeCluster(): Promise<NodeCluster> {
  const cluster = await startControlPlane({
    controllers: 'all',
    scheduler: true,
    // The API server is no part of the node's network: it reaches pods, but no Service's address.
    apiServerFlags: ['--enable-aggregator-routing=true'],
  })
  try {
    return { cluster, node: await startNode(cluster) }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}
