import { createHash } from 'node:crypto'

/** A short key: who asks, and the name that is asked for, may be many kilobytes long, and thousands are remembered. */
export function shortKey(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}
