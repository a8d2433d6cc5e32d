import { chmod, chown, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { editYaml, parseYaml } from '../lib/yaml.ts'
import type { UserOrigin } from './connection.ts'

/**
 * Writes new settings of a user's auth-provider into the kubeconfig file that named the user, all else left as it is.
 * Takes kubectl's lock. Where the file cannot be written the login still serves this run, so that is no error.
 */
export async function saveAuthProvider(
  origin: UserOrigin,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  // client-go, clientcmd.lockFile: an empty file beside it that only one process can make.
  const lock = `${origin.file}.lock`
  try {
    await (await open(lock, 'wx', 0)).close()
  } catch {
    return
  }
  try {
    await rewrite(origin, settings)
  } catch {
    // A read-only folder, or a file that has changed its shape meanwhile.
  } finally {
    await rm(lock, { force: true })
  }
}

async function rewrite(
  { file, user }: UserOrigin,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  // A kubeconfig is often a link to where it is kept.
  const target = await realpath(file)
  const text = await readFile(target, 'utf8')
  const document = (await parseYaml(text)) as { users?: { name?: string }[] } | null
  const position = document?.users?.findIndex(({ name }) => name === user) ?? -1
  if (position < 0) return
  const edited = await editYaml(
    text,
    Object.entries(settings).map(([key, value]) => ({
      path: ['users', position, 'user', 'auth-provider', 'config', key],
      value,
    })),
  )
  const { mode, uid, gid } = await stat(target)
  const draft = `${target}.deckwatch-${process.pid}`
  try {
    await writeFile(draft, edited, { mode: 0o600, flag: 'wx' })
    // Under sudo the file is another's, and must stay so; who may not give it back does not save.
    await chown(draft, uid, gid)
    await chmod(draft, mode & 0o777)
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
