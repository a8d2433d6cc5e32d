import type { ControlPlaneFiles } from './control-plane-files.ts'

/** The ports of one control plane on 127.0.0.1. */
export interface ControlPlanePorts {
  readonly etcd: number
  readonly etcdPeer: number
  readonly apiServer: number
  readonly controllerManager: number
  readonly scheduler: number
}

/** etcd's flags: one member, and no fsync, for nothing here outlives the test. */
export function etcdFlags(ports: ControlPlanePorts, dataFolder: string): readonly string[] {
  const client = `http://127.0.0.1:${ports.etcd}`
  const peer = `http://127.0.0.1:${ports.etcdPeer}`
  return [
    `--data-dir=${dataFolder}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]
}

/** kube-apiserver's flags: RBAC as in real life, the aggregation layer ready, the inflight limits off. */
export function apiServerFlags(ports: ControlPlanePorts, files: ControlPlaneFiles): readonly string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--secure-port=${ports.apiServer}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--tls-cert-file=${files.apiServer.certificate}`,
    `--tls-private-key-file=${files.apiServer.key}`,
    `--client-ca-file=${files.ca}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    '--endpoint-reconciler-type=none',
    '--enable-priority-and-fairness=false',
    '--max-requests-inflight=0',
    '--max-mutating-requests-inflight=0',
    `--requestheader-client-ca-file=${files.frontProxyCa}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${files.frontProxyClient.certificate}`,
    `--proxy-client-key-file=${files.frontProxyClient.key}`,
    `--kubelet-client-certificate=${files.kubeletClient.certificate}`,
    `--kubelet-client-key=${files.kubeletClient.key}`,
    '--kubelet-preferred-address-types=InternalIP',
  ]
}

/** kube-controller-manager's flags. */
export function controllerManagerFlags(
  ports: ControlPlanePorts,
  files: ControlPlaneFiles,
  controllers: readonly string[],
): readonly string[] {
  return [
    ...kubeconfigFlags(files.controllerManager),
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    `--root-ca-file=${files.ca}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    `--cluster-signing-cert-file=${files.ca}`,
    `--cluster-signing-key-file=${files.caKey}`,
    ...servingFlags(files, ports.controllerManager),
    `--controllers=${controllers.join(',')}`,
    // The default of 20 requests a second makes the start take seconds: one credential per controller.
    '--kube-api-qps=1000',
    '--kube-api-burst=1000',
  ]
}

/** kube-scheduler's flags. */
export function schedulerFlags(ports: ControlPlanePorts, files: ControlPlaneFiles): readonly string[] {
  return [
    ...kubeconfigFlags(files.scheduler),
    '--leader-elect=false',
    ...servingFlags(files, ports.scheduler),
  ]
}

function servingFlags(files: ControlPlaneFiles, port: number): readonly string[] {
  const { certificate, key } = files.apiServer
  return [
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${certificate}`,
    `--tls-private-key-file=${key}`,
  ]
}

function kubeconfigFlags(path: string): readonly string[] {
  return [`--kubeconfig=${path}`, `--authentication-kubeconfig=${path}`, `--authorization-kubeconfig=${path}`]
}
