import { companionImage } from '../../test/kit/companion-image.ts'
import { whyNoKubernetes, kubernetesBinaries } from '../../test/kit/kubernetes/build.ts'
import type { ControlPlane } from '../../test/kit/kubernetes/control-plane.ts'
import type { Node } from '../../test/kit/kubernetes/node.ts'
import { startControlPlane } from '../../test/kit/kubernetes/start-control-plane.ts'
import { startNode, whyNoNode } from '../../test/kit/kubernetes/start-node.ts'
import { deployPay, deployShop } from '../../test/kit/shop/deploy-shop.ts'
import { moveRedisTag, shopImageContents } from '../../test/kit/shop/node-shop.ts'
import { startPaperShop } from '../../test/kit/shop/paper-shop.ts'
import { waitUntilUp } from '../../test/kit/shop/wait-until-up.ts'
import { say, step } from './stage.ts'

const NAMESPACES = { shop: 'shop', pay: 'pay' }

/** A cluster on this machine with the shop in it. */
export interface LocalCluster {
  readonly controlPlane: ControlPlane
  /** Why the companion cannot be shown here; undefined where it can. */
  readonly whyNoCompanion: string | undefined
  /** Ends everything and leaves nothing behind. */
  stop(): Promise<void>
}

/**
 * Starts Kubernetes on this machine, with a real node where that can be, and puts the shop up; throws one line for people
 * where it cannot, and leaves nothing behind then either.
 */
export async function startLocalCluster(signal: AbortSignal): Promise<LocalCluster> {
  const reason = await whyNoKubernetes()
  if (reason !== undefined) throw new Error(reason)
  const binaries = await step('Kubernetes’ programs', (tell) => kubernetesBinaries(signal, tell))
  let whyPaper = whyNoNode(binaries)
  if (whyPaper === undefined) {
    try {
      return await assemble((cleanups) => startReal(signal, cleanups))
    } catch (error) {
      signal.throwIfAborted()
      // Root in a container may still not be allowed what a node needs.
      whyPaper = (error as Error).message
    }
  }
  say(`No real node: ${whyPaper}`)
  say('The control plane is real all the same; nodes and the statuses of pods are only written down.')
  return assemble((cleanups) => startOnPaper(signal, cleanups))
}

type Cleanup = () => Promise<void>
type Started = Omit<LocalCluster, 'stop'>

/** Makes a cluster out of parts that are ended in the reverse order, all of them, also when a later one fails. */
async function assemble(start: (cleanups: Cleanup[]) => Promise<Started>): Promise<LocalCluster> {
  const cleanups: Cleanup[] = []
  const stop = async (): Promise<void> => {
    const failures: unknown[] = []
    for (const cleanup of cleanups.splice(0).toReversed()) {
      await cleanup().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
  try {
    return { ...(await start(cleanups)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startReal(signal: AbortSignal, cleanups: Cleanup[]): Promise<Started> {
  const cluster = await step('starting the control plane', () =>
    startControlPlane({
      controllers: 'all',
      scheduler: true,
      // It runs beside the node's network: it reaches pods, but no Service's address.
      apiServerFlags: ['--enable-aggregator-routing=true'],
      signal,
    }),
  )
  cleanups.push(() => cluster.stop())
  const node = await step('starting the node (containerd and kubelet)', (onProgress) =>
    startNode(cluster, { images: shopImageContents(), signal, onProgress }),
  )
  cleanups.push(() => node.stop())
  await step('putting the shop up; its images are small stand-ins of known names', async () => {
    await deployShop(cluster, NAMESPACES)
    await waitUntilUp(cluster, [NAMESPACES.shop], signal)
    // The first namespace keeps what it started with.
    await moveRedisTag(node)
    await deployPay(cluster, NAMESPACES)
    await waitUntilUp(cluster, Object.values(NAMESPACES), signal)
  })
  return { controlPlane: cluster, whyNoCompanion: await bringImage(node, signal) }
}

/** Puts the companion's image onto the node; says why, where there is none. */
async function bringImage(node: Node, signal: AbortSignal): Promise<string | undefined> {
  try {
    await step('making the companion’s image', async () => {
      await node.importArchive((await companionImage()).archive)
    })
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    // Its libraries come from Debian, which may be out of reach.
    return `its image could not be made: ${(error as Error).message}`
  }
}

async function startOnPaper(signal: AbortSignal, cleanups: Cleanup[]): Promise<Started> {
  const cluster = await step('starting the control plane', () => startControlPlane({ signal }))
  cleanups.push(() => cluster.stop())
  await step('putting the shop up on paper', async () => {
    const kubelet = await startPaperShop(cluster, NAMESPACES)
    cleanups.push(() => kubelet.stop())
    await deployShop(cluster, NAMESPACES)
    await deployPay(cluster, NAMESPACES)
    await waitUntilUp(cluster, Object.values(NAMESPACES), signal)
  })
  return { controlPlane: cluster, whyNoCompanion: 'it runs as a pod, which needs a node' }
}
