import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIPv4 } from 'node:net'
import {
  bitString,
  booleanTrue,
  element,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  utcTime,
  utf8String,
} from './der.ts'

const DAY_MS = 86_400_000
const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** When a certificate begins and ends, in epoch milliseconds. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

/** Whom a leaf certificate names and what it may be used for. */
export interface LeafRequest {
  readonly commonName: string
  /** Kubernetes reads each O as one of the user's groups. */
  readonly organizations?: readonly string[]
  /** DNS names and IPv4 addresses; with any, the certificate is for servers too. */
  readonly hosts?: readonly string[]
  /** Epoch milliseconds; a day ahead by default, or as the authority's. */
  readonly notAfter?: number
}

/** A certificate authority that lives for one test run: ECDSA P-256, in memory. */
export class CertificateAuthority {
  /** PEM. */
  readonly certificate: string
  readonly #key: KeyObject
  readonly #keyIdentifier: Buffer
  readonly #name: Buffer
  readonly #validity: Validity | undefined

  /**
   * Signs itself, or is signed by another authority, which it then stands under. With a validity its leaves have the
   * same; without one it lives for two days.
   */
  constructor(
    commonName: string,
    now: number = Date.now(),
    issuer?: CertificateAuthority,
    validity?: Validity,
  ) {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = pair.privateKey
    this.#keyIdentifier = keyIdentifier(pair.publicKey)
    this.#name = distinguishedName(commonName, [])
    this.#validity = validity
    const { notBefore, notAfter } = validity ?? { notBefore: now, notAfter: now + 2 * DAY_MS }
    this.certificate = (issuer ?? this).#sign(this.#name, pair.publicKey, notBefore, notAfter, [
      extension(OID.basicConstraints, sequence(booleanTrue), true),
      // keyCertSign and cRLSign, bits 5 and 6 (RFC 5280 §4.2.1.3).
      extension(OID.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), true),
    ])
  }

  /** A new key and its certificate, valid from an hour before its end or now, whichever is earlier. */
  issue(request: LeafRequest, now: number = Date.now()): KeyPair {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { notBefore, notAfter: end } = this.#validity ?? { notBefore: now, notAfter: now + DAY_MS }
    const { commonName, organizations = [], hosts = [], notAfter = end } = request
    const uses = [OID.clientAuth, ...(hosts.length > 0 ? [OID.serverAuth] : [])].map(objectIdentifier)
    const certificate = this.#sign(
      distinguishedName(commonName, organizations),
      pair.publicKey,
      Math.min(notBefore, notAfter - DAY_MS / 24),
      notAfter,
      [
        extension(OID.keyUsage, bitString(Buffer.from([0b1000_0000]), 7), true),
        extension(OID.extKeyUsage, sequence(...uses)),
        ...(hosts.length > 0 ? [extension(OID.subjectAltName, sequence(...hosts.map(generalName)))] : []),
      ],
    )
    return { certificate, key: privateKeyPem(pair.privateKey) }
  }

  /** The authority's own private key (PEM), for the controller manager's signer. */
  get key(): string {
    return privateKeyPem(this.#key)
  }

  #sign(
    subject: Buffer,
    publicKey: KeyObject,
    notBefore: number,
    notAfter: number,
    extensions: readonly Buffer[],
  ): string {
    const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256))
    const toBeSigned = sequence(
      element(0xa0, integer(Buffer.from([2]))),
      integer(randomBytes(16)),
      algorithm,
      this.#name,
      // A minute of grace, so that a clock set back a little refuses nothing.
      sequence(utcTime(notBefore - 60_000), utcTime(notAfter)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      element(
        0xa3,
        sequence(
          extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(publicKey))),
          extension(OID.authorityKeyIdentifier, sequence(element(0x80, this.#keyIdentifier))),
          ...extensions,
        ),
      ),
    )
    const signature = sign('sha256', toBeSigned, this.#key)
    return pem('CERTIFICATE', sequence(toBeSigned, algorithm, bitString(signature)))
  }
}

/** An RSA 2048 private key (PEM): service account tokens are signed with RS256. */
export function serviceAccountKey(): string {
  return privateKeyPem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const attributes = [
    ...organizations.map((name) => [OID.organization, name] as const),
    [OID.commonName, commonName] as const,
  ]
  return sequence(
    ...attributes.map(([type, value]) => set(sequence(objectIdentifier(type), utf8String(value)))),
  )
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return sequence(objectIdentifier(oid), ...(critical ? [booleanTrue] : []), octetString(value))
}

/** SubjectAltName's choices dNSName [2] and iPAddress [7] (RFC 5280 §4.2.1.6). */
function generalName(host: string): Buffer {
  return isIPv4(host)
    ? element(0x87, Buffer.from(host.split('.').map(Number)))
    : element(0x82, Buffer.from(host))
}

function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
