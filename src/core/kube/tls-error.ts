import { DeckError } from '../lib/errors.ts'
import type { ClusterConnection } from './connection.ts'
import { certificateExpiry } from './tls-certificate.ts'
import type { TlsMaterial } from './tls.ts'

type Names = Pick<ClusterConnection, 'server' | 'contextName' | 'clusterName' | 'userName'>

const NEW_CERTIFICATE = 'Get a new one, or give --client-certificate and --client-key.'

function quoted(name: string): string {
  return name ? ` ${JSON.stringify(name)}` : ''
}

/** Certificates or keys of ours that cannot be read; looked at only after a handshake has failed. */
export function localTlsFault({ ca, cert, key }: TlsMaterial, names: Names): DeckError | undefined {
  const { X509Certificate, createPrivateKey } = process.getBuiltinModule('node:crypto')
  const readable = (read: () => unknown): boolean => {
    try {
      read()
      return true
    } catch {
      return false
    }
  }
  const fault = (message: string, hint: string): DeckError => new DeckError('KUBE_TLS', message, { hint })
  if (typeof ca === 'string' && !readable(() => new X509Certificate(ca))) {
    return fault(
      `the certificate authority of cluster${quoted(names.clusterName)} is not a PEM certificate`,
      'Correct certificate-authority(-data) in the kubeconfig, or give --certificate-authority FILE.',
    )
  }
  if (cert === undefined || key === undefined) return undefined
  const hint = NEW_CERTIFICATE
  if (!readable(() => new X509Certificate(cert))) {
    return fault(`the client certificate of user${quoted(names.userName)} is not a PEM certificate`, hint)
  }
  // Without causes: what a key's parser says may show parts of the key.
  if (!readable(() => createPrivateKey(key))) {
    return fault(`the client key of user${quoted(names.userName)} is not a PEM private key`, hint)
  }
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    return fault(
      `the client key of user${quoted(names.userName)} does not belong to the client certificate`,
      hint,
    )
  }
  return undefined
}

/** Our client certificate's time is over; a server mostly says so by closing the connection. */
export function endedClientCertificate(
  { cert }: TlsMaterial,
  names: Names,
  now: number,
): DeckError | undefined {
  const endedAt = cert === undefined ? undefined : certificateExpiry({ pem: cert })
  if (endedAt === undefined || endedAt >= now) return undefined
  return new DeckError(
    'KUBE_TLS',
    `the client certificate of user${quoted(names.userName)} ended on ${new Date(endedAt).toISOString().slice(0, 10)}`,
    { hint: NEW_CERTIFICATE },
  )
}

const UNKNOWN_AUTHORITY = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
])

const CLIENT_REFUSED =
  /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)|ALERT_HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED/

function serverNames(error: unknown): string {
  const found = (error as { cert?: { subjectaltname?: unknown } }).cert?.subjectaltname
  // Node's list, e.g. `DNS:kube.example, IP Address:10.0.0.1`.
  return typeof found === 'string'
    ? `, but for ${found.replaceAll(/DNS:|IP Address:/g, '').slice(0, 200)}`
    : ''
}

interface Failure {
  readonly code: string
  readonly error: unknown
  readonly material: TlsMaterial
  readonly names: Names
}

function distrust({ names, error }: Failure, what: string, hint: string): DeckError {
  const context = names.contextName ? ` (context ${JSON.stringify(names.contextName)})` : ''
  return new DeckError('KUBE_TLS', `cannot trust the API server ${names.server}${context}: ${what}`, {
    hint,
    cause: error,
  })
}

/** The server's certificate is not one that we may believe; undefined where the code says something else. */
export function distrustedServer(failure: Failure): DeckError | undefined {
  const { code, error, material, names } = failure
  if (UNKNOWN_AUTHORITY.has(code)) {
    return distrust(
      failure,
      'its certificate is of an authority that is not known here',
      'Name the right one with --certificate-authority FILE; --insecure-skip-tls-verify would trust anybody.',
    )
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    const name = material.serverName ?? new URL(names.server).hostname
    return distrust(
      failure,
      `its certificate is not for ${name}${serverNames(error)}`,
      'Give the name that it is for with --tls-server-name NAME, or the right address with --server.',
    )
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return distrust(
      failure,
      'its certificate has ended',
      'Whoever runs the cluster must renew it; look at the clock of this machine too.',
    )
  }
  if (code === 'CERT_NOT_YET_VALID') {
    return distrust(
      failure,
      'the time of its certificate has not begun',
      'Is the clock of this machine right?',
    )
  }
  return undefined
}

/** A handshake that failed otherwise; undefined where the code is not of TLS. */
export function failedHandshake(failure: Failure): DeckError | undefined {
  const { code, error, material, names } = failure
  if (CLIENT_REFUSED.test(code)) {
    const what = material.cert ? 'does not accept our client certificate' : 'wants a client certificate'
    return new DeckError('KUBE_TLS', `the API server ${names.server} ${what}`, {
      hint: 'Get one of the authority that the server trusts, or give --client-certificate and --client-key.',
      cause: error,
    })
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE/.test(code)) {
    return distrust(
      failure,
      'it does not speak TLS at that port',
      'Is the port right? A plain server is written http:// (--server).',
    )
  }
  return /^(?:ERR_SSL_|ERR_TLS_|ERR_OSSL_|CERT_|EPROTO$)/.test(code)
    ? distrust(
        failure,
        `the TLS handshake failed (${code})`,
        'Is it an API server, and is nothing between it and us?',
      )
    : undefined
}
