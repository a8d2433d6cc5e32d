import type { KeyPair } from './certificates.ts'

/** Who a kubeconfig speaks as, and to which server. */
export interface KubeconfigOptions {
  readonly server: string
  /** The authority of the server's certificate, PEM. */
  readonly ca: string
  readonly user: string
  readonly credential: KeyPair | { readonly token: string }
}

/** The text of a kubeconfig with one cluster, one user and one context, which is current and called `kit`. */
export function kubeconfig(options: KubeconfigOptions): string {
  const { credential } = options
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const secrets =
    'token' in credential
      ? [`token: ${credential.token}`]
      : [
          `client-certificate-data: ${base64(credential.certificate)}`,
          `client-key-data: ${base64(credential.key)}`,
        ]
  return `apiVersion: v1
kind: Config
current-context: kit
clusters:
- name: kit
  cluster:
    server: ${options.server}
    certificate-authority-data: ${base64(options.ca)}
contexts:
- name: kit
  context:
    cluster: kit
    user: ${JSON.stringify(options.user)}
users:
- name: ${JSON.stringify(options.user)}
  user:
${secrets.map((line) => `    ${line}`).join('\n')}
`
}
