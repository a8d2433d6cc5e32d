import { mkdirSync, type StatsFs, statfsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'

/** Size and free space of the file system that a folder is on, in bytes; undefined where it cannot be told. */
export async function volumeSpace(
  folder: string,
): Promise<{ readonly sizeBytes: number; readonly freeBytes: number } | undefined> {
  try {
    return spaceOf(await statfs(folder))
  } catch {
    return undefined
  }
}

/** Size of the file system that a folder is on, in bytes; the folder is made where it is missing. Throws where it cannot be. */
export function volumeBytes(folder: string): number {
  mkdirSync(folder, { recursive: true })
  return spaceOf(statfsSync(folder)).sizeBytes
}

/** What is kept for root or by a quota is no space of ours, neither used nor free: `df` counts so too. */
export function spaceOf({
  bsize,
  blocks,
  bfree,
  bavail,
}: Pick<StatsFs, 'bsize' | 'blocks' | 'bfree' | 'bavail'>): {
  readonly sizeBytes: number
  readonly freeBytes: number
} {
  return { sizeBytes: bsize * (blocks - bfree + bavail), freeBytes: bsize * bavail }
}
