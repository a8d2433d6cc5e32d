import { createHash } from 'node:crypto'

const MACHO_64 = 0xfeedfacf
const LC_CODE_SIGNATURE = 0x1d
const EMBEDDED_SIGNATURE = 0xfade0cc0
const CODE_DIRECTORY = 0xfade0c02
const HASHES: Readonly<Record<number, string>> = { 1: 'sha1', 2: 'sha256' }

/** How many pages of a Mach-O file its signature covers, and how many of them no longer hash to what was signed. */
export interface SignatureCheck {
  readonly pages: number
  readonly bad: number
}

/**
 * Checks the page hashes of a thin 64-bit Mach-O file against its code directories; throws where there are none.
 * macOS on Apple silicon kills a process as soon as it touches a page whose hash is wrong.
 */
export function checkCodeSignature(file: Buffer): SignatureCheck {
  if (file.length < 32 || file.readUInt32LE(0) !== MACHO_64) throw new Error('not a thin 64-bit Mach-O file')
  const signature = file.subarray(signatureOffset(file))
  if (signature.length < 12 || signature.readUInt32BE(0) !== EMBEDDED_SIGNATURE) {
    throw new Error('the code signature is unreadable')
  }
  const checks = Array.from({ length: signature.readUInt32BE(8) }, (_, i) =>
    signature.readUInt32BE(16 + 8 * i),
  )
    .map((offset) => signature.subarray(offset))
    .filter((blob) => blob.readUInt32BE(0) === CODE_DIRECTORY)
    .map((directory) => checkDirectory(file, directory))
  if (checks.length === 0) throw new Error('the code signature has no code directory')
  return {
    pages: checks.reduce((sum, { pages }) => sum + pages, 0),
    bad: checks.reduce((sum, { bad }) => sum + bad, 0),
  }
}

function signatureOffset(file: Buffer): number {
  let at = 32
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    if (file.readUInt32LE(at) === LC_CODE_SIGNATURE) return file.readUInt32LE(at + 8)
    at += file.readUInt32LE(at + 4)
  }
  throw new Error('the file carries no code signature')
}

// Field offsets are those of CS_CodeDirectory in the kernel's cs_blobs.h.
function checkDirectory(file: Buffer, directory: Buffer): SignatureCheck {
  const hashes = directory.readUInt32BE(16)
  const pages = directory.readUInt32BE(28)
  const limit = directory.readUInt32BE(32)
  const hashSize = directory.readUInt8(36)
  const algorithm = HASHES[directory.readUInt8(37)]
  const pageSize = 2 ** directory.readUInt8(39)
  if (algorithm === undefined) throw new Error('the code signature uses an unknown hash')
  // A signature that stops short would leave code uncovered.
  if (pages !== Math.ceil(limit / pageSize))
    throw new Error(`the code signature has ${pages} pages for ${limit} bytes`)
  let bad = 0
  for (let page = 0; page < pages; page++) {
    const content = file.subarray(page * pageSize, Math.min((page + 1) * pageSize, limit))
    const signed = directory.subarray(hashes + page * hashSize, hashes + (page + 1) * hashSize)
    const actual = createHash(algorithm).update(content).digest().subarray(0, hashSize)
    if (!actual.equals(signed)) bad++
  }
  return { pages, bad }
}
