import { Flags } from '@oclif/core'
import type { ConnectionOverrides } from '../../core/kube/connection.ts'

const helpGroup = 'connection'

/** The connection flags of kubectl, under its names; short letters where no command wants them otherwise. */
export const connectionFlags = {
  kubeconfig: Flags.string({
    char: 'k',
    helpGroup,
    helpValue: 'FILE',
    summary: 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config',
  }),
  context: Flags.string({
    char: 'C',
    helpGroup,
    helpValue: 'NAME',
    summary: 'context of the kubeconfig to use',
  }),
  cluster: Flags.string({ helpGroup, helpValue: 'NAME', summary: 'cluster of the kubeconfig to use' }),
  user: Flags.string({ helpGroup, helpValue: 'NAME', summary: 'user of the kubeconfig to use' }),
  server: Flags.string({ char: 's', helpGroup, helpValue: 'URL', summary: 'address of the API server' }),
  token: Flags.string({ helpGroup, helpValue: 'TOKEN', summary: 'bearer token to authenticate with' }),
  username: Flags.string({ helpGroup, helpValue: 'NAME', summary: 'user name for basic authentication' }),
  password: Flags.string({ helpGroup, helpValue: 'PASSWORD', summary: 'password for basic authentication' }),
  as: Flags.string({
    helpGroup,
    helpValue: 'USER',
    summary: 'act as this user or ServiceAccount (impersonation)',
  }),
  'as-group': Flags.string({
    helpGroup,
    helpValue: 'GROUP',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'act as a member of this group; may be repeated',
  }),
  'as-uid': Flags.string({ helpGroup, helpValue: 'UID', summary: 'act with this UID' }),
  'as-user-extra': Flags.string({
    helpGroup,
    helpValue: 'KEY=VALUE',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'act with this extra attribute; may be repeated',
  }),
  'certificate-authority': Flags.string({
    helpGroup,
    helpValue: 'FILE',
    summary: 'certificate of the authority that signed the API server',
  }),
  'client-certificate': Flags.string({ helpGroup, helpValue: 'FILE', summary: 'client certificate for TLS' }),
  'client-key': Flags.string({
    helpGroup,
    helpValue: 'FILE',
    summary: 'private key of the client certificate',
  }),
  'insecure-skip-tls-verify': Flags.boolean({
    helpGroup,
    summary: "do not check the API server's certificate",
  }),
  'tls-server-name': Flags.string({
    helpGroup,
    helpValue: 'NAME',
    summary: "name to expect in the API server's certificate",
  }),
  'request-timeout': Flags.string({
    helpGroup,
    helpValue: 'DURATION',
    summary: 'give up a single request after this time (1s, 2m); 0 means never',
  }),
  'disable-compression': Flags.boolean({
    helpGroup,
    summary: 'do not ask the API server to compress its answers',
  }),
}

/** Turns parsed flags into what the kubeconfig loader takes. */
export function connectionOverrides(flags: { readonly [name: string]: unknown }): ConnectionOverrides {
  const text = (name: keyof typeof connectionFlags | 'namespace'): string | undefined => {
    const value = flags[name]
    return typeof value === 'string' ? value : undefined
  }
  const list = (name: keyof typeof connectionFlags): readonly string[] => {
    const value = flags[name]
    return Array.isArray(value) ? value.map(String) : []
  }
  return {
    kubeconfig: text('kubeconfig'),
    context: text('context'),
    cluster: text('cluster'),
    user: text('user'),
    server: text('server'),
    token: text('token'),
    username: text('username'),
    password: text('password'),
    as: text('as'),
    asGroups: list('as-group'),
    asUid: text('as-uid'),
    asUserExtra: list('as-user-extra'),
    certificateAuthority: text('certificate-authority'),
    clientCertificate: text('client-certificate'),
    clientKey: text('client-key'),
    insecureSkipTlsVerify: flags['insecure-skip-tls-verify'] === true,
    tlsServerName: text('tls-server-name'),
    namespace: text('namespace'),
    requestTimeout: text('request-timeout'),
    disableCompression: flags['disable-compression'] === true,
  }
}
