import { readFileSync } from 'node:fs'
import type { PemSource } from './connection.ts'

/** When a certificate's time ends, in epoch milliseconds; undefined where it cannot be read. */
export function certificateExpiry(source: PemSource): number | undefined {
  try {
    // Loaded on use: only errors ask.
    const { X509Certificate } = process.getBuiltinModule('node:crypto')
    const pem = 'pem' in source ? source.pem : readFileSync(source.file, 'utf8')
    return Date.parse(new X509Certificate(pem).validTo)
  } catch {
    return undefined
  }
}
