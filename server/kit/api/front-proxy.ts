import { X509Certificate } from 'node:crypto'

/** Whom the API server vouches with, as kube-system/extension-apiserver-authentication says. */
export interface FrontProxyTrust {
  /** PEM, one certificate each; empty where the cluster has no front proxy. */
  readonly authorities: readonly string[]
  /** The common names that may vouch; empty: any under these authorities. */
  readonly allowedNames: readonly string[]
  /** Lower case, as all names of headers here; the first that is set counts. */
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraHeaderPrefixes: readonly string[]
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0'
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Reads the ConfigMap's data; what makes no sense trusts nobody. */
export function frontProxyTrust(data: Readonly<Record<string, string>>): FrontProxyTrust {
  const headers = (key: string): readonly string[] =>
    stringList(data[`requestheader-${key}`]).map((name) => name.toLowerCase())
  return {
    authorities: (data['requestheader-client-ca-file'] ?? '').match(CERTIFICATE) ?? [],
    allowedNames: stringList(data['requestheader-allowed-names']),
    usernameHeaders: headers('username-headers'),
    uidHeaders: headers('uid-headers'),
    groupHeaders: headers('group-headers'),
    extraHeaderPrefixes: headers('extra-headers-prefix').filter((prefix) => prefix !== ''),
  }
}

/** The values are JSON arrays of strings. */
function stringList(text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return []
  const value: unknown = JSON.parse(text)
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new Error('a value of the ConfigMap is no JSON array of strings')
}

/**
 * Makes the check of a client certificate: in time, for clients, with an allowed name, and signed by one of the
 * authorities themselves. A chain is no proof, since an intermediate that the client sends could carry any name.
 */
export function frontProxyCheck(
  trust: FrontProxyTrust,
): (certificate: X509Certificate | undefined, now: number) => boolean {
  const authorities = trust.authorities.map((pem) => new X509Certificate(pem))
  return (certificate, now) => {
    if (!certificate || !inTime(certificate, now)) return false
    const uses = certificate.keyUsage as readonly string[] | undefined
    if (uses && !uses.includes(CLIENT_AUTH) && !uses.includes(ANY_EXTENDED_KEY_USAGE)) return false
    const commonName: unknown = certificate.toLegacyObject().subject.CN
    // Several common names come as an array.
    if (typeof commonName !== 'string') return false
    if (trust.allowedNames.length > 0 && !trust.allowedNames.includes(commonName)) return false
    return authorities.some(
      (authority) =>
        authority.ca &&
        inTime(authority, now) &&
        certificate.checkIssued(authority) &&
        certificate.verify(authority.publicKey),
    )
  }
}

function inTime({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime()
}
