import { DeckError } from '../lib/errors.ts'
import type { ConnectionEnvironment, PemSource } from './connection.ts'

// client-go's period: half of what lies between the kubelet's renewal of a service-account token and its end.
const FRESH_MS = 60_000

/** Files that others may replace while we run: each is read again at most once a minute, or after `forget`. */
export interface ConnectFiles {
  /** The file's text; its last good one where it cannot be read now. Throws KUBECONFIG_UNREADABLE. */
  text(source: PemSource): string
  /** Makes the next `text` read again. */
  forget(): void
}

/** A reader of connection files over the environment. */
export function createConnectFiles(
  environment: Pick<ConnectionEnvironment, 'readFile' | 'clock'>,
): ConnectFiles {
  const known = new Map<string, { readonly text: string; readonly at: number }>()
  return {
    text(source) {
      if ('pem' in source) return source.pem
      const { file } = source
      const last = known.get(file)
      const now = environment.clock.now()
      if (last && now - last.at < FRESH_MS) return last.text
      try {
        const text = environment.readFile(file).toString('utf8')
        known.set(file, { text, at: now })
        return text
      } catch (error) {
        if (last) return last.text
        throw new DeckError('KUBECONFIG_UNREADABLE', `cannot read ${file}, which the kubeconfig names`, {
          hint: 'Correct its path or rights, or name another context with --context.',
          cause: error,
        })
      }
    },
    forget() {
      for (const [file, { text }] of known) known.set(file, { text, at: Number.NEGATIVE_INFINITY })
    },
  }
}
