/** A file in an archive; names use forward slashes, `mode` is 0o755 for what can be run, else 0o644. */
export interface ArchiveEntry {
  readonly name: string
  readonly mode: number
  readonly data: Buffer
}

/** Every file of an archive has this time, in epoch seconds: the first that zip can write, 1980-01-01. */
export const ARCHIVE_TIME = 315_532_800
