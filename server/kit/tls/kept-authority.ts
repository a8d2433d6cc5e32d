import type { X509Certificate } from 'node:crypto'
import { CLOCK_SKEW_MS } from './certificate.ts'
import {
  alternativeNames,
  issuerOf,
  keyFits,
  pemOf,
  readBundle,
  readCertificate,
  type Validity,
  validityOf,
} from './certificate-facts.ts'
import type { KeyPair } from './tls-source.ts'

/** The keys of a Secret that keeps an authority, and its own leaf where it has one; values are PEM. */
export interface AuthorityData {
  readonly 'ca.crt'?: string | undefined
  readonly 'ca.key'?: string | undefined
  readonly 'tls.crt'?: string | undefined
  readonly 'tls.key'?: string | undefined
}

/** How long authorities and leaves live and when they are renewed, all in milliseconds. */
export interface AuthorityTimes {
  readonly authorityLifeMs: number
  /** So long before its end a new authority is put beside the old one. */
  readonly authorityRenewBeforeMs: number
  readonly leafLifeMs: number
  readonly leafRenewBeforeMs: number
  /** So old a new authority must be before it signs in place of a good leaf: until then not everyone knows it. */
  readonly settleMs: number
}

/** What a Secret holds, as far as it is good. */
export interface KeptAuthority {
  /** The newest authority, which signs; undefined where there is none that can. */
  readonly signer: (KeyPair & Validity) | undefined
  /** All authorities whose leaves may still be about, newest first. */
  readonly bundle: readonly X509Certificate[]
  readonly leaf: (KeyPair & Validity) | undefined
  /** What is wrong with the content, one clause each, without a word of it; empty for one that was never filled. */
  readonly faults: readonly string[]
}

/** What must be made anew, and what for. */
export interface Renewal {
  /** `replace` forgets the old authorities, `add` keeps them in the bundle. */
  readonly authority: 'keep' | 'add' | 'replace'
  readonly leaf: 'keep' | 'make'
}

/** Reads what a Secret keeps; `leafName` is the one DNS name of its leaf, undefined where it keeps none. */
export function readKeptAuthority(
  data: AuthorityData,
  { leafName, now }: { readonly leafName: string | undefined; readonly now: number },
): KeptAuthority {
  const faults: string[] = []
  const authorities = readAuthorities(data, now, faults)
  const leaf = leafName === undefined ? undefined : readLeaf(data, leafName, authorities.bundle, faults)
  return { ...authorities, leaf, faults }
}

/** What the times ask for. */
export function dueRenewal(
  kept: KeptAuthority,
  now: number,
  times: AuthorityTimes,
  hasLeaf: boolean,
): Renewal {
  const { signer, leaf } = kept
  if (!signer || !isValid(signer, now)) {
    return { authority: 'replace', leaf: hasLeaf ? 'make' : 'keep' }
  }
  const authority = now >= signer.notAfter - times.authorityRenewBeforeMs ? 'add' : 'keep'
  if (!hasLeaf) return { authority, leaf: 'keep' }
  if (!leaf || !isValid(leaf, now)) return { authority, leaf: 'make' }
  const madeAt = signer.notBefore + CLOCK_SKEW_MS
  const settled = authority === 'keep' && now - madeAt >= times.settleMs
  return { authority, leaf: settled && now >= leaf.notAfter - times.leafRenewBeforeMs ? 'make' : 'keep' }
}

function isValid({ notBefore, notAfter }: Validity, now: number): boolean {
  // Not yet valid is what a clock that went back makes of a certificate.
  return now >= notBefore && now < notAfter
}

function readAuthorities(
  data: AuthorityData,
  now: number,
  faults: string[],
): Pick<KeptAuthority, 'signer' | 'bundle'> {
  const none = { signer: undefined, bundle: [] }
  const { 'ca.crt': certificates, 'ca.key': key } = data
  if (!certificates && !key) return none
  const all = certificates ? readBundle(certificates) : undefined
  const newest = all?.[0]
  if (!all || !newest) {
    faults.push('ca.crt is no bundle of PEM certificates')
    return none
  }
  if (!all.every(({ ca }) => ca)) {
    faults.push('ca.crt holds a certificate that is no authority')
    return none
  }
  if (!key || !keyFits(newest, key)) {
    faults.push('ca.key is not the P-256 key of the first certificate in ca.crt')
    return none
  }
  return {
    signer: { certificate: pemOf(newest), key, ...validityOf(newest) },
    bundle: [newest, ...all.slice(1).filter((old) => isValid(validityOf(old), now))],
  }
}

function readLeaf(
  { 'tls.crt': certificate, 'tls.key': key }: AuthorityData,
  name: string,
  bundle: readonly X509Certificate[],
  faults: string[],
): KeptAuthority['leaf'] {
  if (!certificate && !key) return undefined
  const leaf = certificate ? readCertificate(certificate) : undefined
  const fault = leafFault(leaf, key, name, bundle)
  if (fault !== undefined) faults.push(fault)
  if (fault !== undefined || !leaf || !certificate || !key) return undefined
  return { certificate, key, ...validityOf(leaf) }
}

function leafFault(
  leaf: X509Certificate | undefined,
  key: string | undefined,
  name: string,
  bundle: readonly X509Certificate[],
): string | undefined {
  if (!leaf) return 'tls.crt is no PEM certificate'
  if (!key || !keyFits(leaf, key)) return 'tls.key is not the P-256 key of tls.crt'
  // Without an authority all is made anew, and its own fault has been told.
  if (bundle.length > 0 && !issuerOf(leaf, bundle)) return 'tls.crt is of another authority than ca.crt'
  const names = alternativeNames(leaf)
  if (names.length !== 1 || names[0] !== `DNS:${name}`) return `tls.crt is not for DNS:${name}`
  return undefined
}
