import { close, constants, fsync, ftruncate, open, rename, statfs, unlink, write, writev } from 'node:fs'
import { promisify } from 'node:util'

/** What the journal does with files; tests make it slow, full or broken. */
export interface JournalDisk {
  /** Makes a file of zeros that survives a loss of power, over one that may be there. */
  prepare(path: string, bytes: number): Promise<void>
  /** Makes a file that must not exist, and gives its descriptor. */
  create(path: string): Promise<number>
  /** Opens a file that was prepared, under its new name. */
  adopt(prepared: string, path: string): Promise<number>
  /** Writes some of the bytes at an offset, and says how many once they survive a loss of power. */
  write(file: number, buffers: readonly Buffer[], offset: number): Promise<number>
  /** Resolves once the names in a folder survive a loss of power. */
  syncFolder(folder: string): Promise<void>
  truncate(file: number, bytes: number): Promise<void>
  close(file: number): Promise<void>
  remove(path: string): Promise<void>
  /** Bytes that are free where a folder is. */
  free(folder: string): Promise<number>
}

const openFile = promisify(open)
const closeFile = promisify(close)
const syncFile = promisify(fsync)
const writeFile = promisify(write)
const writeAll = promisify(writev)
const { O_CREAT, O_DSYNC, O_EXCL, O_WRONLY } = constants
const CHUNK_BYTES = 1024 * 1024

/**
 * The machine's own disk. O_DSYNC makes each write durable in one call. Where a file has its blocks and its length
 * already, that waits for nobody else's: a journaling file system would have to commit what all processes did.
 */
export const systemDisk: JournalDisk = {
  async prepare(path, bytes) {
    const file = await openFile(path, 'w', 0o600)
    try {
      const zeros = Buffer.alloc(Math.min(bytes, CHUNK_BYTES))
      for (let at = 0; at < bytes;) {
        at += (await writeFile(file, zeros, 0, Math.min(zeros.length, bytes - at), at)).bytesWritten
      }
      await syncFile(file)
    } finally {
      await closeFile(file)
    }
  },
  create: (path) => openFile(path, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC, 0o600),
  async adopt(prepared, path) {
    await promisify(rename)(prepared, path)
    return openFile(path, O_WRONLY | O_DSYNC)
  },
  write: async (file, buffers, offset) => (await writeAll(file, buffers, offset)).bytesWritten,
  async syncFolder(folder) {
    const file = await openFile(folder, 'r')
    try {
      await syncFile(file)
    } finally {
      await closeFile(file)
    }
  },
  truncate: promisify(ftruncate),
  close: closeFile,
  remove: promisify(unlink),
  async free(folder) {
    const { bavail, bsize } = await promisify(statfs)(folder)
    return bavail * bsize
  },
}
