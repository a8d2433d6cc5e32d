/** A file in an archive; names use forward slashes, `mode` is 0o755 for what can be run, else 0o644. */
export interface ArchiveEntry {
  /** In a tar, one that ends in a slash is a folder. */
  readonly name: string
  readonly mode: number
  readonly data: Buffer
  /** The number of its user and group in a tar; root by default. */
  readonly owner?: number
}

/** Every file of an archive has this time, in epoch seconds: the first that zip can write, 1980-01-01. */
export const ARCHIVE_TIME = 315_532_800
