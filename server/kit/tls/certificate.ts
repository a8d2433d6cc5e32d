import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  type webcrypto,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyPair } from './tls-source.ts'
import { loadX509 } from './x509.ts'

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** A certificate is valid from so long before it is made, for readers whose clocks are behind ours, in milliseconds. */
export const CLOCK_SKEW_MS = 3_600_000

/** Whom a leaf names, what it is for, and how long it lives. */
export interface LeafOrder {
  readonly commonName: string
  readonly dnsNames: readonly string[]
  /** Absolute URIs. */
  readonly uris: readonly string[]
  readonly uses: readonly ('server' | 'client')[]
  /** Epoch milliseconds. */
  readonly now: number
  /** From `now`, in milliseconds. */
  readonly lifeMs: number
}

/** A new authority for leaves (ECDSA P-256, self-signed, no further authorities under it). */
export async function createAuthorityPair(order: {
  readonly commonName: string
  readonly now: number
  readonly lifeMs: number
}): Promise<KeyPair> {
  const x509 = await loadX509()
  const keys = await newKeys()
  const spki = derOf(keys.publicKey)
  const { KeyUsageFlags } = x509
  const certificate = await x509.X509CertificateGenerator.create({
    ...(await namesOf(order.commonName, order.commonName)),
    ...validity(order),
    publicKey: spki,
    signingKey: signingKey(keys.privateKey),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(spki),
    ],
  })
  return { certificate: pem(certificate.toString('pem')), key: pemOf(keys.privateKey) }
}

/** A certificate of the authority for the public key (SubjectPublicKeyInfo, DER), PEM. */
export async function signLeaf(authority: KeyPair, spki: Uint8Array, order: LeafOrder): Promise<string> {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(authority.certificate)
  const certificate = await x509.X509CertificateGenerator.create({
    ...(await namesOf(order.commonName)),
    issuer: issuer.subjectName,
    ...validity(order),
    publicKey: new Uint8Array(spki),
    signingKey: signingKey(createPrivateKey(authority.key)),
    signingAlgorithm: SIGNATURE,
    extensions: await leafExtensions(order, spki, issuer.publicKey.rawData),
  })
  return pem(certificate.toString('pem'))
}

/** A new key and the authority's certificate for it. */
export async function createLeaf(authority: KeyPair, order: LeafOrder): Promise<KeyPair> {
  const { publicKey, privateKey } = await newKeys()
  return { certificate: await signLeaf(authority, derOf(publicKey), order), key: pemOf(privateKey) }
}

/**
 * A key pair that no authority vouches for: with it a listener answers who does not verify, such as the kubelet's
 * probes, until there is a leaf.
 */
export async function createEphemeralPair(order: {
  readonly dnsName: string
  readonly now: number
}): Promise<KeyPair> {
  const x509 = await loadX509()
  const { publicKey, privateKey } = await newKeys()
  const spki = derOf(publicKey)
  const leaf: LeafOrder = {
    commonName: 'deckwatch-ephemeral',
    dnsNames: [order.dnsName],
    uris: [],
    uses: ['server'],
    now: order.now,
    lifeMs: EPHEMERAL_LIFE_MS,
  }
  const certificate = await x509.X509CertificateGenerator.create({
    ...(await namesOf(leaf.commonName, leaf.commonName)),
    ...validity(leaf),
    publicKey: spki,
    signingKey: signingKey(privateKey),
    signingAlgorithm: SIGNATURE,
    extensions: await leafExtensions(leaf, spki, spki),
  })
  return { certificate: pem(certificate.toString('pem')), key: pemOf(privateKey) }
}

// Whoever takes it does not look at its dates, and nobody renews it.
const EPHEMERAL_LIFE_MS = 10 * 365 * 86_400_000

/** A new key: PKCS #8 as PEM, and its public half (SubjectPublicKeyInfo, DER). */
export async function createKey(): Promise<{ readonly key: string; readonly publicKey: Uint8Array }> {
  const { publicKey, privateKey } = await newKeys()
  return { key: pemOf(privateKey), publicKey: derOf(publicKey) }
}

/** A new key (PKCS #8, PEM) and a request to certify it (PKCS #10, PEM), which names nobody: the authority decides that. */
export async function createSigningRequest(): Promise<{ readonly request: string; readonly key: string }> {
  const x509 = await loadX509()
  const { publicKey, privateKey } = await newKeys()
  const keys = {
    publicKey: publicKey.toCryptoKey(CURVE, true, ['verify']),
    privateKey: signingKey(privateKey),
  }
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: SIGNATURE })
  return { request: pem(request.toString('pem')), key: pemOf(privateKey) }
}

/**
 * The public key (SubjectPublicKeyInfo, DER) of a request whose signature proves that its sender holds the key; all
 * else that the request wishes for is passed over. Undefined for what is no such request or no P-256 key.
 */
export async function requestedKey(request: string): Promise<Uint8Array | undefined> {
  const x509 = await loadX509()
  try {
    const parsed = new x509.Pkcs10CertificateRequest(request)
    const spki = new Uint8Array(parsed.publicKey.rawData)
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined
    return (await parsed.verify()) ? spki : undefined
  } catch {
    return undefined
  }
}

const generate = promisify(generateKeyPair)

function newKeys(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return generate('ec', { namedCurve: 'P-256' })
}

function signingKey(key: KeyObject): webcrypto.CryptoKey {
  return key.toCryptoKey(CURVE, false, ['sign'])
}

async function namesOf(subject: string, issuer?: string) {
  const { Name } = await loadX509()
  // Typed, since in a bare string the library takes quotes, backslashes and # for syntax.
  const name = (commonName: string) => new Name([{ CN: [{ utf8String: commonName }] }])
  return { subject: name(subject), ...(issuer === undefined ? {} : { issuer: name(issuer) }) }
}

function validity({ now, lifeMs }: { readonly now: number; readonly lifeMs: number }) {
  return { notBefore: new Date(now - CLOCK_SKEW_MS), notAfter: new Date(now + lifeMs) }
}

async function leafExtensions(
  order: LeafOrder,
  spki: Uint8Array,
  issuerSpki: Uint8Array<ArrayBuffer> | ArrayBuffer,
) {
  const x509 = await loadX509()
  const uses = order.uses.map((use) => (use === 'server' ? SERVER_AUTH : CLIENT_AUTH))
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension(uses),
    new x509.SubjectAlternativeNameExtension([
      ...order.dnsNames.map((value) => ({ type: 'dns' as const, value })),
      ...order.uris.map((value) => ({ type: 'url' as const, value })),
    ]),
    await x509.SubjectKeyIdentifierExtension.create(new Uint8Array(spki)),
    await x509.AuthorityKeyIdentifierExtension.create(issuerSpki),
  ]
}

function derOf(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }))
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function pem(text: string): string {
  return `${text.trim()}\n`
}
