import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { ARCHIVE_TIME, type ArchiveEntry } from './archive-entry.ts'

const compress = promisify(gzip)

const BLOCK = 512

/** A POSIX ustar archive whose bytes depend on the entries alone: sorted, one fixed time. */
export function writeTar(entries: readonly ArchiveEntry[]): Buffer {
  const blocks = entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => [header(entry), entry.data, Buffer.alloc(-entry.data.length & (BLOCK - 1))])
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

/** The same archive, gzipped. */
export async function writeTarGz(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const archive = await compress(writeTar(entries), { level: constants.Z_BEST_COMPRESSION })
  // Byte 9 names the system that compressed; 255 is "unknown" (RFC 1952).
  archive[9] = 255
  return archive
}

function header({ name, mode, data, owner = 0 }: ArchiveEntry): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`too long a name for an archive: ${name}`)
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, offset: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), offset, 'latin1')
  block.write(name, 0)
  octal(mode, 100, 7)
  octal(owner, 108, 7)
  octal(owner, 116, 7)
  octal(data.length, 124, 11)
  octal(ARCHIVE_TIME, 136, 11)
  block.write(name.endsWith('/') ? '5' : '0', 156)
  block.write('ustar\x0000', 257, 'latin1')
  if (owner === 0) {
    block.write('root', 265)
    block.write('root', 297)
  }
  // The checksum is taken with eight blanks in its own place.
  block.fill(' ', 148, 156)
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  )
  block.write('\0 ', 154, 'latin1')
  return block
}

/** The regular files of a tar archive, in its order; long names and other entry types are passed over. */
export function* readTar(archive: Buffer): Generator<ArchiveEntry> {
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const field = (offset: number, length: number) =>
      archive.toString('utf8', at + offset, at + offset + length).replace(/\0.*$/s, '')
    const size = Number.parseInt(field(124, 12), 8)
    const start = at + BLOCK
    if (!Number.isSafeInteger(size) || start + size > archive.length)
      throw new Error('the tar archive is cut short')
    const prefix = field(257, 5) === 'ustar' ? field(345, 155) : ''
    const type = field(156, 1)
    if (type === '0' || type === '') {
      yield {
        name: prefix === '' ? field(0, 100) : `${prefix}/${field(0, 100)}`,
        mode: Number.parseInt(field(100, 8), 8),
        data: archive.subarray(start, start + size),
      }
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK
  }
}
