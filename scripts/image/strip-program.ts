const HEADER_BYTES = 64

/**
 * A 64-bit little-endian ELF program without what the kernel and the loader never read: symbols, debug information
 * and section headers, which all lie behind the last segment. Unlike that of `strip`, the result depends on no tool's
 * version.
 */
export function stripProgram(program: Buffer): Buffer {
  const isElf64 = program.toString('latin1', 0, 6) === '\x7fELF\x02\x01'
  if (!isElf64) throw new Error('this is no 64-bit little-endian ELF program')
  const programHeaders = Number(program.readBigUInt64LE(0x20))
  const entryBytes = program.readUInt16LE(0x36)
  const count = program.readUInt16LE(0x38)
  let end = programHeaders + count * entryBytes
  for (let index = 0; index < count; index++) {
    const at = programHeaders + index * entryBytes
    const offset = Number(program.readBigUInt64LE(at + 0x08))
    const bytes = Number(program.readBigUInt64LE(at + 0x20))
    end = Math.max(end, offset + bytes)
  }
  if (end > program.length) throw new Error('the ELF program is cut short')
  const stripped = Buffer.from(program.subarray(0, end))
  // e_shoff, e_shnum and e_shstrndx: there are no sections (System V ABI, chapter 4).
  stripped.writeBigUInt64LE(0n, 0x28)
  stripped.fill(0, HEADER_BYTES - 4, HEADER_BYTES)
  return stripped
}
