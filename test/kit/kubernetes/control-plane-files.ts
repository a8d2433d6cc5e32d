import { mkdirSync, writeFileSync } from 'node:fs'
import { CertificateAuthority, serviceAccountKey, type KeyPair, type Validity } from './certificates.ts'
import { kubeconfig } from './kubeconfig.ts'
import type { RunFolder } from './run-folder.ts'

/** Paths of a certificate and its key, both PEM. */
export interface KeyPairFiles {
  readonly certificate: string
  readonly key: string
}

/** Paths of what a control plane's parts read: certificates, keys and kubeconfigs. */
export interface ControlPlaneFiles {
  readonly ca: string
  readonly caKey: string
  readonly frontProxyCa: string
  readonly serviceAccountKey: string
  readonly apiServer: KeyPairFiles
  readonly frontProxyClient: KeyPairFiles
  readonly kubeletClient: KeyPairFiles
  /** Kubeconfig. */
  readonly controllerManager: string
  /** Kubeconfig. */
  readonly scheduler: string
}

/** Makes all of them in the run's folder, and writes them down. */
export function writeControlPlaneFiles(
  folder: RunFolder,
  authority: CertificateAuthority,
  options: {
    readonly url: string
    readonly hosts: readonly string[]
    readonly validity: Validity | undefined
  },
): ControlPlaneFiles {
  mkdirSync(folder.file('pki'), { mode: 0o700 })
  const write = (name: string, text: string): string => {
    const path = folder.file('pki', name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const writePair = (name: string, { certificate, key }: KeyPair): KeyPairFiles => ({
    certificate: write(`${name}.crt`, certificate),
    key: write(`${name}.key`, key),
  })
  const writeKubeconfig = (user: string): string =>
    write(
      `${user}.kubeconfig`,
      kubeconfig({
        server: options.url,
        ca: authority.certificate,
        user,
        credential: authority.issue({ commonName: `system:${user}` }),
      }),
    )
  const frontProxy = new CertificateAuthority('kit-front-proxy-ca', Date.now(), undefined, options.validity)
  return {
    ca: write('ca.crt', authority.certificate),
    caKey: write('ca.key', authority.key),
    frontProxyCa: write('front-proxy-ca.crt', frontProxy.certificate),
    serviceAccountKey: write('service-account.key', serviceAccountKey()),
    apiServer: writePair(
      'apiserver',
      authority.issue({ commonName: 'kube-apiserver', hosts: options.hosts }),
    ),
    frontProxyClient: writePair('front-proxy-client', frontProxy.issue({ commonName: 'front-proxy-client' })),
    kubeletClient: writePair(
      'kubelet-client',
      authority.issue({ commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] }),
    ),
    controllerManager: writeKubeconfig('kube-controller-manager'),
    scheduler: writeKubeconfig('kube-scheduler'),
  }
}
