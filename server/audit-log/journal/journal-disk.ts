import { close, fdatasync, fsync, ftruncate, open, unlink, writev } from 'node:fs'
import { promisify } from 'node:util'

/** What the journal does with files; tests make it slow, full or broken. */
export interface JournalDisk {
  /** Makes a file that must not exist, and gives its descriptor. */
  create(path: string): Promise<number>
  /** Writes some of the bytes at an offset and says how many. */
  write(file: number, buffers: readonly Buffer[], offset: number): Promise<number>
  /** Resolves once the bytes of the file and its length survive a loss of power. */
  sync(file: number): Promise<void>
  /** The same of the names in a folder. */
  syncFolder(folder: string): Promise<void>
  truncate(file: number, bytes: number): Promise<void>
  close(file: number): Promise<void>
  remove(path: string): Promise<void>
}

const openFile = promisify(open)
const closeFile = promisify(close)
const writeFile = promisify(writev)

/** The machine's own disk. */
export const systemDisk: JournalDisk = {
  create: (path) => openFile(path, 'wx', 0o600),
  write: async (file, buffers, offset) => (await writeFile(file, buffers, offset)).bytesWritten,
  sync: promisify(fdatasync),
  async syncFolder(folder) {
    const file = await openFile(folder, 'r')
    try {
      await promisify(fsync)(file)
    } finally {
      await closeFile(file)
    }
  },
  truncate: promisify(ftruncate),
  close: closeFile,
  remove: promisify(unlink),
}
