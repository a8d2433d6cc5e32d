import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'

/** Times of one certificate, epoch milliseconds. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The certificates of a PEM bundle in their order; undefined where one cannot be read, or there is none. */
export function readBundle(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(PEM_CERTIFICATE)
  if (!blocks) return undefined
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return undefined
  }
}

/** The first certificate of a chain; undefined where it cannot be read. */
export function readCertificate(pem: string): X509Certificate | undefined {
  return readBundle(pem)?.[0]
}

/** From when to when a certificate is valid. */
export function validityOf(certificate: X509Certificate): Validity {
  return {
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  }
}

/** Whether the key is a P-256 key that can be read and belongs to the certificate. */
export function keyFits(certificate: X509Certificate, key: string): boolean {
  try {
    const privateKey = createPrivateKey(key)
    return (
      createPublicKey(privateKey).asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
      certificate.checkPrivateKey(privateKey)
    )
  } catch {
    // What the parser says may show parts of the key.
    return false
  }
}

/** The alternative names of a certificate: `DNS:a.b.svc`, `URI:deckwatch://…`. */
export function alternativeNames(certificate: X509Certificate): string[] {
  // Ours hold no comma: every name of theirs is made of Kubernetes' names.
  return certificate.subjectAltName?.split(', ') ?? []
}

/** Which authority of a bundle issued the certificate; undefined where none did. */
export function issuerOf(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
): X509Certificate | undefined {
  return authorities.find(
    (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  )
}

/** PEM of one certificate, with a newline at its end. */
export function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString().trim()}\n`
}
