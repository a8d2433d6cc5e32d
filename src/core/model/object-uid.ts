import { createHash } from 'node:crypto'

/** The name space of deckwatch's own uids: any UUID would do, but it may never change. */
const NAME_SPACE = Buffer.from('7b1f0c3e5a0d4c0e9a43d2e1c4b86f15', 'hex')

/**
 * The uid of an object that deckwatch serves: a UUIDv5 (RFC 9562 section 5.5) of what identifies it, so that every
 * replica and every restart gives it the same.
 */
export function objectUid(...identity: readonly string[]): string {
  // Lengths before the parts: no part can reach into the next one.
  const name = identity.map((part) => `${part.length}:${part}`).join('')
  const bytes = createHash('sha1').update(NAME_SPACE).update(name).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
