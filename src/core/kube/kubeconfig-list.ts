import { delimiter, join, resolve } from 'node:path'
import { DeckError } from '../lib/errors.ts'
import type { ConnectionEnvironment } from './connection.ts'
import { parseKubeconfig } from './kubeconfig-file.ts'
import type { Kubeconfig } from './kubeconfig-file.ts'

/** The kubeconfig files of this invocation, merged, and which of them there were. */
export interface KubeconfigList extends Kubeconfig {
  /** Absolute paths in order of precedence. */
  readonly read: readonly string[]
  readonly missing: readonly string[]
}

function filesToRead(explicit: string | undefined, environment: ConnectionEnvironment): string[] {
  if (explicit) return [explicit]
  const list = environment.variables['KUBECONFIG']
  if (list) return [...new Set(list.split(delimiter))].filter((path) => path !== '')
  return environment.home ? [join(environment.home, '.kube', 'config')] : []
}

function unreadable(file: string, error: unknown, explicit: boolean): DeckError {
  const { code, message } = error as NodeJS.ErrnoException
  const reason =
    code === 'ENOENT'
      ? 'there is no such file'
      : code === 'EACCES' || code === 'EPERM'
        ? 'this user may not read it'
        : code === 'EISDIR'
          ? 'it is a folder'
          : message
  return new DeckError('KUBECONFIG_UNREADABLE', `cannot read kubeconfig ${file}: ${reason}`, {
    hint: explicit
      ? 'Check the path given with --kubeconfig.'
      : 'Correct its path or rights, or name another file with --kubeconfig or KUBECONFIG.',
    cause: error,
  })
}

function firstWins<T>(maps: readonly ReadonlyMap<string, T>[]): ReadonlyMap<string, T> {
  return new Map(maps.toReversed().flatMap((map) => [...map]))
}

/**
 * Reads what kubectl would read: the file of `--kubeconfig` (which must exist), else the files of KUBECONFIG, else
 * `~/.kube/config`. Missing files are passed over; for every name and for current-context the first file wins whole.
 */
export async function readKubeconfigs(
  explicit: string | undefined,
  environment: ConnectionEnvironment,
): Promise<KubeconfigList> {
  const configs: Kubeconfig[] = []
  const read: string[] = []
  const missing: string[] = []
  for (const path of filesToRead(explicit, environment)) {
    const file = resolve(environment.workingDirectory, path)
    let text: string
    try {
      text = environment.readFile(file).toString('utf8')
    } catch (error) {
      // A path through something that is no folder (ENOTDIR) is an error to kubectl too.
      if (explicit || (error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw unreadable(file, error, Boolean(explicit))
      }
      missing.push(file)
      continue
    }
    configs.push(await parseKubeconfig(text, file))
    read.push(file)
  }
  return {
    clusters: firstWins(configs.map((config) => config.clusters)),
    users: firstWins(configs.map((config) => config.users)),
    contexts: firstWins(configs.map((config) => config.contexts)),
    currentContext: configs.find((config) => config.currentContext)?.currentContext ?? '',
    read,
    missing,
  }
}
