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
import { writeControlPlaneFiles, type ControlPlaneFiles } from './control-plane-files.ts'
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
  const ports = await choosePorts()
  const folder = new RunFolder('cluster')
  const authority = new CertificateAuthority('kit-ca', Date.now(), undefined, options.validity)
  const url = `https://127.0.0.1:${ports.apiServer}`
  const credential = authority.issue({ commonName: 'admin', organizations: ['system:masters'] })
  const admin = new ApiClient({ url, ca: authority.certificate, credential })
  // The last started is the first to be ended.
  const daemons: Daemon[] = []
  const stop = async (): Promise<void> => {
    admin.close()
    for (const daemon of daemons) await daemon.kill()
    folder.remove()
  }
  try {
    const files = writeControlPlaneFiles(folder, authority, {
      url,
      hosts: SERVER_NAMES,
      validity: options.validity,
    })
    const setup = { options, binaries, ports, folder, authority, url, credential, admin, daemons, files }
    const apiServer = await startParts(setup)
    return controlPlane(setup, apiServer, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

/** What a control plane is made of. */
interface Setup {
  readonly options: ControlPlaneOptions
  readonly binaries: KubernetesBinaries
  readonly ports: ControlPlanePorts
  readonly folder: RunFolder
  readonly authority: CertificateAuthority
  readonly url: string
  /** The administrator's. */
  readonly credential: KeyPair
  readonly admin: ApiClient
  readonly daemons: Daemon[]
  readonly files: ControlPlaneFiles
}

async function startParts({
  options,
  binaries,
  ports,
  folder,
  admin,
  daemons,
  files,
  ...rest
}: Setup): Promise<ApiServer> {
  const { scheduler = false, apiServerFlags: ownFlags = [], signal } = options
  // Other people's KUBEBUILDER_ASSETS often have no controller manager.
  const { controllers = binaries.command('kube-controller-manager') ? 'seeded' : 'none' } = options
  const daemon = (part: KubernetesPart, flags: readonly string[]): Daemon => {
    const command = binaries.command(part)
    if (!command) throw new Error(`KUBEBUILDER_ASSETS has no ${part}, which this test needs`)
    const made = new Daemon({ name: part, command: [...command, ...flags], folder })
    daemons.unshift(made)
    return made
  }
  const startHealthy = async (part: Daemon, port: number, sign: RegExp): Promise<void> => {
    const url = `https://127.0.0.1:${port}`
    const client = new ApiClient({ url, ca: rest.authority.certificate, credential: rest.credential })
    part.start()
    try {
      const check = async (limit: AbortSignal) =>
        assert.match(await client.text('GET', '/healthz?verbose', undefined, limit), sign)
      await untilReady(part, check, signal)
    } finally {
      client.close()
    }
  }

  daemon('etcd', etcdFlags(ports, folder.file('etcd'))).start()
  const withoutAccounts = controllers === 'none' ? ['--disable-admission-plugins=ServiceAccount'] : []
  const flags = [...apiServerFlags(ports, files), ...withoutAccounts, ...ownFlags]
  const apiServer = new ApiServer(daemon('kube-apiserver', flags), admin)
  await apiServer.start(signal)
  const others: Promise<void>[] = []
  if (scheduler) {
    const part = daemon('kube-scheduler', schedulerFlags(ports, files))
    others.push(startHealthy(part, ports.scheduler, /healthz check passed/))
  }
  if (controllers !== 'none') {
    const chosen = ['*', ...(controllers === 'all' ? [] : AGAINST_SEEDS.map((name) => `-${name}`))]
    const part = daemon('kube-controller-manager', controllerManagerFlags(ports, files, chosen))
    // It names them once it has made them all, and until then it dies with the API server.
    others.push(startHealthy(part, ports.controllerManager, /\+\]namespace-controller ok/))
    // Pods are refused where this account is missing, and its controller takes a while to make it.
    others.push(ensureServiceAccount(admin, 'default', 'default'))
  }
  await Promise.all(others)
  return apiServer
}

function controlPlane(setup: Setup, apiServer: ApiServer, stop: () => Promise<void>): ControlPlane {
  const { binaries, ports, folder, authority, url, credential, admin, files } = setup
  let kubeconfigs = 0
  const writeKubeconfig = (user: string, as: KeyPair | { readonly token: string }): string => {
    const path = folder.file(`user-${++kubeconfigs}.kubeconfig`)
    const text = kubeconfig({ server: url, ca: authority.certificate, user, credential: as })
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const adminKubeconfig = writeKubeconfig('admin', credential)
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
    user: (commonName, organizations = [], notAfter) => {
      const validity = notAfter === undefined ? {} : { notAfter }
      return writeKubeconfig(commonName, authority.issue({ commonName, organizations, ...validity }))
    },
    token: (namespace, serviceAccount) => requestToken(admin, namespace, serviceAccount),
    tokenKubeconfig: (token) => writeKubeconfig('token', { token }),
    kubectl: (args, given = {}) => {
      const cacheFolder = folder.file('kubectl-cache')
      return runKubectl(binaries.kubectl, args, { kubeconfig: adminKubeconfig, ...given, cacheFolder })
    },
    compact,
    expireResourceVersions: async () => {
      const { running } = apiServer
      await apiServer.kill()
      await compact()
      if (running) await apiServer.start()
    },
    stop,
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
