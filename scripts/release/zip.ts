import { promisify } from 'node:util'
import { constants, crc32, deflateRaw } from 'node:zlib'
import type { ArchiveEntry } from './archive-entry.ts'

const compress = promisify(deflateRaw)

const VERSION_NEEDED = 20
/** Upper byte 3 says that external attributes are Unix modes. */
const MADE_ON_UNIX = (3 << 8) | VERSION_NEEDED
const DEFLATE = 8
const UTF8_NAMES = 1 << 11
/** 1980-01-01 in the format's own count, ARCHIVE_TIME. */
const DOS_DATE = (1 << 5) | 1

/** A zip archive (PKWARE APPNOTE 6.3) whose bytes depend on the entries alone: sorted, one fixed time. */
export async function writeZip(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, mode, data } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const packed = await compress(data, { level: constants.Z_BEST_COMPRESSION })
    const nameBytes = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(VERSION_NEEDED, 0)
    common.writeUInt16LE(UTF8_NAMES, 2)
    common.writeUInt16LE(DEFLATE, 4)
    common.writeUInt16LE(DOS_DATE, 8)
    common.writeUInt32LE(crc32(data), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(data.length, 18)
    common.writeUInt16LE(nameBytes.length, 22)

    const central = Buffer.alloc(14)
    central.writeUInt32LE((0o100_000 | mode) * 0x1_00_00, 6)
    central.writeUInt32LE(offset, 10)
    const made = Buffer.alloc(2)
    made.writeUInt16LE(MADE_ON_UNIX)
    directory.push(Buffer.from('PK\x01\x02'), made, common, central, nameBytes)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes, packed])
    files.push(local)
    offset += local.length
  }
  const index = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(index.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...files, index, Buffer.from('PK\x05\x06'), end])
}
