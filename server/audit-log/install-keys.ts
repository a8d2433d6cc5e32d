import { randomBytes } from 'node:crypto'
import { readSecret, type SecretPlace, writeSecret } from '../kit/kept-secret.ts'

/** What an installation alone knows. */
export interface InstallKeys {
  /** By which values that are not kept are told apart (HMAC-SHA-256); never on the volume. */
  readonly hmacKey: Buffer
  /** The raw path of the webhook: who does not know it cannot forge reviews. */
  readonly path: string
}

const KEY_BYTES = 32
const PATH_BYTES = 24
const PREFIX = '/audit/'

/** The Secret that keeps them. */
const KEYS_SECRET = 'deckwatch-audit-log'

/** Reads the keys of the installation, and makes them at the first start; rejects as requests do. */
export async function installKeys(
  place: Omit<SecretPlace, 'name'>,
  signal: AbortSignal,
): Promise<InstallKeys> {
  for (;;) {
    const stored = await readSecret({ ...place, name: KEYS_SECRET }, signal)
    const keys = stored && readKeys(stored.data)
    if (keys) return keys
    const made = {
      'hmac-key': randomBytes(KEY_BYTES).toString('hex'),
      // The API server takes paths of lower-case letters, digits and hyphens only.
      path: randomBytes(PATH_BYTES).toString('hex'),
    }
    // Whether another was quicker or not: what is there now counts.
    await writeSecret({ ...place, name: KEYS_SECRET }, stored, made, signal)
  }
}

function readKeys({
  'hmac-key': key = '',
  path = '',
}: Readonly<Record<string, string | undefined>>): InstallKeys | undefined {
  if (!/^[0-9a-f]{64}$/.test(key) || !/^[0-9a-f]{48}$/.test(path)) return undefined
  return { hmacKey: Buffer.from(key, 'hex'), path: PREFIX + path }
}
