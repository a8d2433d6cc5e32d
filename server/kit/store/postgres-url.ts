import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { ConnectionOptions } from 'node:tls'
import { DeckError } from '../../../src/core/lib/errors.ts'

/** Where a database is, and how it is spoken to. */
export interface PostgresAddress {
  /** A host's name or address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** Never in a log or an error. */
  readonly password: string | undefined
  readonly database: string
  readonly ssl: ConnectionOptions | false
}

const PORT = 5432

const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const
const KNOWN = new Set(['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'host'])

/**
 * Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…` with the words of libpq: `disable`, `require` (encrypted;
 * with `sslrootcert` as verify-ca), `verify-ca`, `verify-full`; `require` where it says nothing, but never on a Unix
 * socket (`?host=/FOLDER`). DeckError USAGE for what cannot be read; the message does not repeat the URL.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')) {
    throw wrong('it is no URL of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE')
  }
  for (const name of url.searchParams.keys())
    if (!KNOWN.has(name)) throw wrong(`it has a parameter "${name}", which is not known`)
  const host = url.searchParams.get('host') ?? plain(url.hostname).replace(/^\[(.*)\]$/, '$1')
  if (host === '') throw wrong('it names no host')
  const user = plain(url.username) || userInfo().username
  return {
    host,
    port: url.port === '' ? PORT : Number(url.port),
    user,
    password: url.password === '' ? undefined : plain(url.password),
    database: plain(url.pathname.slice(1)) || user,
    ssl: host.startsWith('/') ? false : tlsOf(url.searchParams),
  }
}

function tlsOf(parameters: URLSearchParams): ConnectionOptions | false {
  const said = parameters.get('sslmode') ?? 'require'
  const mode = MODES.find((one) => one === said)
  if (mode === undefined) throw wrong(`its sslmode is "${said}", which is none of ${MODES.join(', ')}`)
  if (mode === 'disable') return false
  const file = (name: string): string | undefined => {
    const path = parameters.get(name)
    if (path === null || path === 'system') return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw wrong(`its ${name} ${path} cannot be read`, cause)
    }
  }
  const [ca, cert, key] = [file('sslrootcert'), file('sslcert'), file('sslkey')]
  const isVerified = mode !== 'require' || ca !== undefined
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: isVerified,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('it has a % that no two hexadecimal digits follow')
  }
}

function wrong(why: string, cause?: unknown): DeckError {
  return new DeckError('USAGE', `the address of the database cannot be used: ${why}`, {
    hint: 'For example postgres://deckwatch:PASSWORD@db.example.com:5432/deckwatch?sslmode=verify-full',
    ...(cause === undefined ? {} : { cause }),
  })
}
