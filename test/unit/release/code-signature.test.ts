import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { checkCodeSignature } from '../../../scripts/release/code-signature.ts'

const PAGE = 4096
const LIMIT = 2 * PAGE + 100

/** A Mach-O file of three pages, the last of them short, with a code directory over all of it. */
function signedFile(): Buffer {
  const file = Buffer.alloc(LIMIT, 0x90)
  file.writeUInt32LE(0xfeedfacf, 0)
  file.writeUInt32LE(2, 16)
  file.writeUInt32LE(0x19, 32)
  file.writeUInt32LE(72, 36)
  file.writeUInt32LE(0x1d, 104)
  file.writeUInt32LE(16, 108)
  file.writeUInt32LE(LIMIT, 112)
  const directory = Buffer.alloc(44 + 3 * 32)
  directory.writeUInt32BE(0xfade0c02, 0)
  directory.writeUInt32BE(44, 16)
  directory.writeUInt32BE(3, 28)
  directory.writeUInt32BE(LIMIT, 32)
  directory.set([32, 2, 0, 12], 36)
  for (let page = 0; page < 3; page++) {
    const hash = createHash('sha256')
      .update(file.subarray(page * PAGE, (page + 1) * PAGE))
      .digest()
    directory.set(hash, 44 + page * 32)
  }
  const head = Buffer.alloc(20)
  head.writeUInt32BE(0xfade0cc0, 0)
  head.writeUInt32BE(1, 8)
  head.writeUInt32BE(20, 16)
  return Buffer.concat([file, head, directory])
}

describe('the check of macOS code signatures', () => {
  it('passes a file whose pages all hash to what was signed', () => {
    assert.deepEqual(checkCodeSignature(signedFile()), { pages: 3, bad: 0 })
  })

  for (const [where, offset] of [
    ['first', 200],
    ['second', PAGE],
    ['last, short', LIMIT - 1],
  ] as const) {
    it(`counts one changed byte in the ${where} page as one bad page`, () => {
      const file = signedFile()
      file.writeUInt8(file.readUInt8(offset) ^ 1, offset)
      assert.deepEqual(checkCodeSignature(file), { pages: 3, bad: 1 })
    })
  }

  it('refuses a directory that covers less than it says', () => {
    const file = signedFile()
    file.writeUInt32BE(2, LIMIT + 20 + 28)
    assert.throws(() => checkCodeSignature(file), /2 pages for 8292 bytes/)
  })

  it('refuses files without a signature, and what is no Mach-O file', () => {
    const unsigned = signedFile()
    unsigned.writeUInt32LE(1, 16)
    assert.throws(() => checkCodeSignature(unsigned), /no code signature/)
    assert.throws(() => checkCodeSignature(Buffer.from('\x7fELF'.padEnd(64))), /not a thin 64-bit Mach-O/)
  })
})
