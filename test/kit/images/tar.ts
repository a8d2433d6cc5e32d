/** A file, a folder (path ends in a slash) or a symbolic link of a tar archive. */
export interface TarEntry {
  readonly path: string
  /** Permission bits; 0o644 for files, 0o755 for folders by default. */
  readonly mode?: number
  readonly contents?: Uint8Array
  /** Where a symbolic link points. */
  readonly link?: string
}

const BLOCK = 512

/** A ustar archive (POSIX.1-1988) of root's files at time 0, so that equal entries give equal bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const contents = entry.contents ?? Buffer.alloc(0)
    return [header(entry, contents.length), contents, Buffer.alloc(-contents.length & (BLOCK - 1))]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

function header({ path, mode, link }: TarEntry, size: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`a path of more than 100 bytes does not fit: ${path}`)
  const folder = path.endsWith('/')
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, offset: number, digits: number) =>
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, offset)
  block.write(path, 0)
  octal(mode ?? (folder || link !== undefined ? 0o755 : 0o644), 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(size, 124, 11)
  octal(0, 136, 11)
  block.write(link === undefined ? (folder ? '5' : '0') : '2', 156)
  if (link !== undefined) block.write(link, 157)
  block.write('ustar\x0000', 257)
  // The checksum counts its own field as blanks.
  block.fill(' ', 148, 156)
  const checksum = block.reduce((sum, octet) => sum + octet, 0)
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}
