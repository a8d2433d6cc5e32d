import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { ApiClient } from './api-client.ts'
import { ApiServer } from './api-server.ts'
import { kubernetesBinaries, type KubernetesBinaries, type KubernetesPart } from './build.ts'
import { CertificateAuthority, type KeyPair } from './certificates.ts'
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  schedulerFlags,
  type ControlPlanePorts,
} from './command-lines.ts'
import { writeControlPlaneFiles } from './control-plane-files.ts'
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts'
import { Daemon } from './daemon.ts'
import { EtcdApi } from './etcd-api.ts'
import { freePorts } from './free-ports.ts'
import { kubeconfig } from './kubeconfig.ts'
import { runKubectl } from './kubectl.ts'
import { ensureServiceAccount } from './namespaces.ts'
import { NODE_NETWORK } from './node-network.ts'
import { RunFolder, sweepLeftovers } from './run-folder.ts'
import { untilReady } from './until-ready.ts'

/** Controllers that would undo what a test seeds: they end pods of unknown owners and of nodes without a kubelet. */
const AGAINST_SEEDS = [
  'garbage-collector-controller',
  'pod-garbage-collector-controller',
  'node-lifecycle-controller',
  'taint-eviction-controller',
]

const SERVER_NAMES = [
  'localhost',
  'kubernetes.default.svc',
  '127.0.0.1',
  NODE_NETWORK.apiServiceAddress,
  NODE_NETWORK.hostAddress,
]

/** Starts a control plane, and waits until it answers and pods can be created in the namespace `default`. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await kubernetesBinaries(options.signal)
  await sweepLeftovers()
  const folder = new RunFolder('cluster')
  // The last started is the first to be ended.
  const daemons: Daemon[] = []
  const stop = async (): Promise<void> => {
    for (const daemon of daemons) await daemon.kill()
    folder.remove()
  }
  try {
    return await start(options, binaries, folder, daemons, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  options: ControlPlaneOptions,
  binaries: KubernetesBinaries,
  folder: RunFolder,
  daemons: Daemon[],
  stop: () => Promise<void>,
): Promise<ControlPlane> {
  const { controllers = 'seeded', scheduler = false, signal } = options
  const ports = await choosePorts()
  const url = `https://127.0.0.1:${ports.apiServer}`
  const authority = new CertificateAuthority('kit-ca')
  const files = writeControlPlaneFiles(folder, authority, { url, hosts: SERVER_NAMES })
  const daemon = (part: KubernetesPart, flags: readonly string[]): Daemon => {
    const command = binaries.command(part)
    if (!command) throw new Error(`KUBEBUILDER_ASSETS has no ${part}, which this test needs`)
    const made = new Daemon({ name: part, command: [...command, ...flags], folder })
    daemons.unshift(made)
    return made
  }

  daemon('etcd', etcdFlags(ports, folder.file('etcd'))).start()
  const adminPair = authority.issue({ commonName: 'admin', organizations: ['system:masters'] })
  const admin = new ApiClient({ url, ca: authority.certificate, credential: adminPair })
  const withoutAccounts = controllers === 'none' ? ['--disable-admission-plugins=ServiceAccount'] : []
  const flags = [...apiServerFlags(ports, files), ...withoutAccounts, ...(options.apiServerFlags ?? [])]
  const apiServer = new ApiServer(daemon('kube-apiserver', flags), admin)
  await apiServer.start(signal)
  const healthy = async (part: Daemon, port: number, sign: RegExp): Promise<void> => {
    const client = new ApiClient({
      url: `https://127.0.0.1:${port}`,
      ca: authority.certificate,
      credential: adminPair,
    })
    part.start()
    const check = async (limit: AbortSignal) =>
      assert.match(await client.text('GET', '/healthz?verbose', undefined, limit), sign)
    await untilReady(part, check, signal)
    client.close()
  }
  const others: Promise<void>[] = []
  if (scheduler) {
    const part = daemon('kube-scheduler', schedulerFlags(ports, files))
    others.push(healthy(part, ports.scheduler, /healthz check passed/))
  }
  if (controllers !== 'none') {
    const chosen = ['*', ...(controllers === 'all' ? [] : AGAINST_SEEDS.map((name) => `-${name}`))]
    const part = daemon('kube-controller-manager', controllerManagerFlags(ports, files, chosen))
    // It names them once it has made them all, and until then it dies with the API server.
    others.push(healthy(part, ports.controllerManager, /\+\]namespace-controller ok/))
    // Pods are refused where this account is missing, and its controller takes a while to make it.
    others.push(ensureServiceAccount(admin, 'default', 'default'))
  }
  await Promise.all(others)

  let kubeconfigs = 0
  const writeKubeconfig = (user: string, credential: KeyPair | { readonly token: string }): string => {
    const path = folder.file(`user-${++kubeconfigs}.kubeconfig`)
    const text = kubeconfig({ server: url, ca: authority.certificate, user, credential })
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const adminKubeconfig = writeKubeconfig('admin', adminPair)
  const etcd = new EtcdApi(`http://127.0.0.1:${ports.etcd}`)
  const compact = async (): Promise<void> => etcd.compact(await etcd.raiseRevision())

  return {
    url,
    authority,
    caFile: files.ca,
    adminKubeconfig,
    admin,
    binaries,
    kubectlPath: binaries.kubectl,
    apiServer,
    folder,
    user: (name, groups = [], notAfter) =>
      writeKubeconfig(
        name,
        authority.issue({
          commonName: name,
          organizations: groups,
          ...(notAfter === undefined ? {} : { notAfter }),
        }),
      ),
    token: (namespace, serviceAccount) => requestToken(admin, namespace, serviceAccount),
    tokenKubeconfig: (token) => writeKubeconfig('token', { token }),
    kubectl: (args, given = {}) =>
      runKubectl(binaries.kubectl, args, {
        kubeconfig: adminKubeconfig,
        ...given,
        cacheFolder: folder.file('kubectl-cache'),
      }),
    compact,
    expireResourceVersions: async () => {
      const running = apiServer.running
      if (running) await apiServer.kill()
      await compact()
      if (running) await apiServer.start()
    },
    stop: async () => {
      admin.close()
      await stop()
    },
  }
}

async function choosePorts(): Promise<ControlPlanePorts> {
  const [etcd = 0, etcdPeer = 0, apiServer = 0, controllerManager = 0, scheduler = 0] = await freePorts(5)
  return { etcd, etcdPeer, apiServer, controllerManager, scheduler }
}

async function requestToken(admin: ApiClient, namespace: string, name: string): Promise<string> {
  await ensureServiceAccount(admin, namespace, name)
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
  const answer = await admin.send<{ status: { token: string } }>('POST', path, {
    spec: { expirationSeconds: 3600 },
  })
  return answer.status.token
}
