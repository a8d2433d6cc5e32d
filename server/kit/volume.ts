import { mkdirSync, statfsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'

/** Size and free space of the file system that a folder is on, in bytes; undefined where it cannot be told. */
export async function volumeSpace(
  folder: string,
): Promise<{ readonly sizeBytes: number; readonly freeBytes: number } | undefined> {
  try {
    const { bsize, blocks, bavail } = await statfs(folder)
    return { sizeBytes: bsize * blocks, freeBytes: bsize * bavail }
  } catch {
    return undefined
  }
}

/** Size of the file system that a folder is on, in bytes; the folder is made where it is missing. Throws where it cannot be. */
export function volumeBytes(folder: string): number {
  mkdirSync(folder, { recursive: true })
  const { bsize, blocks } = statfsSync(folder)
  return bsize * blocks
}
