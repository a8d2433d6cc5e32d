import { lchown, lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Who shall own a folder. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Makes the folder and gives it with all that is in it to the owner. It runs as uid 0 with the capability CHOWN alone,
 * so it may list what is its own or open to all: a folder that it may not list becomes root's until that is done.
 */
export async function prepareData(folder: string, owner: Owner): Promise<void> {
  await mkdir(folder, { recursive: true })
  await give(folder, owner)
}

async function give(path: string, owner: Owner): Promise<void> {
  const found = await lstat(path)
  if (found.isDirectory()) {
    for (const name of await list(path)) await give(join(path, name), owner)
  }
  const { uid, gid } = await lstat(path)
  if (uid !== owner.uid || gid !== owner.gid) await lchown(path, owner.uid, owner.gid)
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) throw error
    await lchown(folder, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
    return await readdir(folder)
  }
}
