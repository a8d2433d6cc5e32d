import { join } from 'node:path'
import type { V1Node, V1PodList } from '@kubernetes/client-node'
import { ApiStatusError } from './api-client.ts'
import type { Progress } from '../go-build.ts'
import type { KubernetesBinaries, KubernetesPart } from './build.ts'
import type { ControlPlane } from './control-plane.ts'
import { Daemon } from './daemon.ts'
import { acquireHostLock } from './host-lock.ts'
import { writeNodeFiles } from './node-files.ts'
import { NodeImages, type ImageContent } from './node-images.ts'
import { NODE_NETWORK } from './node-network.ts'
import { installPackages, missingPackages } from './node-packages.ts'
import { NodeSpace } from './node-space.ts'
import type { Node } from './node.ts'
import { RunFolder, sweepLeftovers } from './run-folder.ts'
import { deletePods } from './seed.ts'
import { untilReady } from './until-ready.ts'

const NAME = 'kit-node'
const LOCK = '/run/lock/deckwatch-kit-node.lock'
/** Without these of Kubernetes, no pod gets onto a node. */
const PARTS = ['kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy'] as const
/** How long an API server that may be paused is given when a node ends. */
const API_LIMIT_MS = 60_000
const ENDPOINTS = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'

/** How a node is started. */
export interface NodeOptions {
  readonly signal?: AbortSignal
  /** Imported before the kubelet starts, so that it reports them at once; one imported later, within 30 seconds. */
  readonly images?: Readonly<Record<string, ImageContent>>
  /** stderr by default. */
  readonly onProgress?: Progress
}

/** Why no node can run here, in one sentence; undefined when it can. */
export function whyNoNode(binaries: KubernetesBinaries): string | undefined {
  if (process.platform !== 'linux') return `a node runs on Linux only, this is ${process.platform}`
  if (process.getuid?.() !== 0) {
    const missing = missingPackages()
    return `a node needs root${missing.length > 0 ? ` and the Debian packages ${missing.join(', ')}` : ''}`
  }
  const absent = PARTS.filter((part) => binaries.command(part) === undefined)
  return absent.length > 0 ? `a node needs ${absent.join(', ')}, not in KUBEBUILDER_ASSETS` : undefined
}

/**
 * Starts a real node for a control plane (made with `controllers: 'all', scheduler: true`) and waits until it is
 * ready; only one lives on a host at a time, and a second run waits for the first to end.
 */
export async function startNode(cluster: ControlPlane, options: NodeOptions = {}): Promise<Node> {
  const { signal, onProgress = (line) => process.stderr.write(`${line}\n`) } = options
  const reason = whyNoNode(cluster.binaries)
  if (reason !== undefined) throw new Error(reason)
  installPackages(onProgress)
  const release = await acquireHostLock(LOCK, {
    signal,
    onWait: (holder) =>
      onProgress(`waiting for the node of ${holder} to end: only one lives on a host at a time`),
  })
  const cleanups: Cleanup[] = [release]
  const stop = () => runAll(cleanups.splice(0).toReversed())
  try {
    await sweepLeftovers()
    const folder = new RunFolder('node')
    cleanups.push(() => folder.remove())
    return await start(cluster, folder, cleanups, stop, options)
  } catch (error) {
    await stop()
    throw error
  }
}

type Cleanup = () => void | Promise<void>

/** Each runs, whatever becomes of the others; the first failure is told at the end. */
async function runAll(cleanups: readonly Cleanup[]): Promise<void> {
  const failures: unknown[] = []
  for (const cleanup of cleanups) {
    try {
      await cleanup()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

async function start(
  cluster: ControlPlane,
  folder: RunFolder,
  cleanups: Cleanup[],
  stop: () => Promise<void>,
  { signal, images = {} }: NodeOptions,
): Promise<Node> {
  const files = writeNodeFiles(folder, cluster, NAME)
  cleanups.push(() => deregister(cluster))
  const space = await NodeSpace.open(folder, signal)
  cleanups.push(() => space.close())
  const daemon = (name: string, command: readonly string[]): Daemon => {
    const made = new Daemon({ name, command, folder })
    cleanups.push(() => made.kill())
    made.start()
    return made
  }
  const part = (name: KubernetesPart, ...flags: readonly string[]): Daemon => {
    const command = cluster.binaries.command(name)
    if (!command) throw new Error(`KUBEBUILDER_ASSETS has no ${name}, which a node needs`)
    return daemon(name, space.command([...command, ...flags]))
  }

  const { hostAddress, nodeAddress } = NODE_NETWORK
  const { port } = new URL(cluster.url)
  daemon('relay', [process.execPath, join(import.meta.dirname, 'relay.ts'), hostAddress, port])
  const nameServer = join(import.meta.dirname, 'name-server.ts')
  daemon('name-server', [process.execPath, nameServer, hostAddress, cluster.url, ...files.nameServer])
  const containerd = daemon('containerd', space.command(['containerd', '--config', files.containerdConfig]))
  const store = new NodeImages((command) => space.command(command))
  await untilReady(containerd, () => store.importPause(), signal)
  for (const [reference, content] of Object.entries(images)) await store.import(reference, content)
  await publishApiServer(cluster, Number(port))
  part('kube-proxy', `--config=${files.kubeProxyConfig}`)
  const kubelet = part(
    'kubelet',
    `--config=${files.kubeletConfig}`,
    `--kubeconfig=${files.kubeletKubeconfig}`,
    `--hostname-override=${NAME}`,
    `--node-ip=${nodeAddress}`,
  )
  await untilReady(kubelet, (limit) => checkReady(cluster, limit), signal)
  cleanups.push(() => removePods(cluster))

  return {
    name: NAME,
    address: nodeAddress,
    podLogsFolder: folder.file('var-log', 'pods'),
    folder,
    kubelet,
    importImage: (reference, content) => store.import(reference, content),
    importArchive: (path) => store.importArchive(path),
    command: (command) => space.command(command),
    stop,
  }
}

async function checkReady({ admin }: ControlPlane, signal: AbortSignal): Promise<void> {
  const { status } = await admin.send<V1Node>('GET', `/api/v1/nodes/${NAME}`, undefined, signal)
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  if (ready?.status !== 'True')
    throw new Error(`node ${NAME} is not ready: ${ready?.message ?? 'no condition yet'}`)
}

/** The API server does not know under which address pods reach it (--endpoint-reconciler-type=none). */
async function publishApiServer({ admin }: ControlPlane, port: number): Promise<void> {
  await admin.send('POST', ENDPOINTS, {
    metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [NODE_NETWORK.hostAddress], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  })
}

async function removePods(cluster: ControlPlane): Promise<void> {
  if (!cluster.apiServer.running) return
  const limit = AbortSignal.timeout(API_LIMIT_MS)
  const path = `/api/v1/pods?fieldSelector=spec.nodeName%3D${NAME}`
  const { items } = await cluster.admin.send<V1PodList>('GET', path, undefined, limit)
  await deletePods(cluster, items, limit)
}

async function deregister({ admin, apiServer }: ControlPlane): Promise<void> {
  if (!apiServer.running) return
  for (const path of [`/api/v1/nodes/${NAME}`, `${ENDPOINTS}/kubernetes`]) {
    try {
      await admin.text('DELETE', path, undefined, AbortSignal.timeout(API_LIMIT_MS))
    } catch (error) {
      if (!(error instanceof ApiStatusError && error.status === 404)) throw error
    }
  }
}
