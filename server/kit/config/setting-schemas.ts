import { z } from 'zod'
import { parseDuration } from '../../../src/core/lib/time.ts'
import { COMPONENTS, type PeerAddress } from './config.ts'

/** One setting: a flag, an environment variable and a key of the configuration file. */
export interface Setting<T> {
  readonly schema: z.ZodType<T, string>
  /** What a value may be, for messages and help. */
  readonly allowed: string
  readonly help: string
  readonly fallback: string
  /** A flag without a value means `true`. */
  readonly isSwitch?: boolean
  /** The value is never shown, be it wrong. */
  readonly isSecret?: boolean
}

const REFUSED = 'refused'
const MAX_PORT = 65_535

/** A name as Kubernetes gives Services and namespaces (RFC 1123 label). */
export const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
/** Labels with dots between (RFC 1123 subdomain). */
export const DNS_NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/
const LISTEN_ADDRESS = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]*):(\d{1,5})$/
const PEER = /^([^=]+)=(\[[0-9a-fA-F:.]+\]|[^\s:[\]=]+):(\d{1,5})$/

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** A schema from a function that gives undefined for what it does not take. */
export function read<T>(parse: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: REFUSED })
    return z.NEVER
  })
}

/** Any text that a path or an argument may be. */
export const text = z.string().refine((value) => !value.includes('\0'))
/** A text of a form, or none. */
export const orEmpty = (pattern: RegExp): z.ZodType<string, string> =>
  z.string().refine((value) => value === '' || pattern.test(value))

function words(value: string): string[] {
  if (value.startsWith('[')) return jsonWords(value)
  return value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

/** A JSON array of texts, for words that hold commas themselves, as the names of LDAP do. */
function jsonWords(value: string): string[] {
  try {
    const items: unknown = JSON.parse(value)
    return Array.isArray(items) && items.every((item) => typeof item === 'string') ? items : [value]
  } catch {
    return [value]
  }
}

/** Words with commas between, or a JSON array of them; each once, at least so many. */
export function list<T>(
  item: (word: string) => T | undefined,
  least: number,
): z.ZodType<readonly T[], string> {
  return read((value) => {
    const items = words(value).map(item)
    const known = items.filter((one) => one !== undefined)
    const distinct = new Set(words(value)).size === items.length
    return known.length === items.length && items.length >= least && distinct ? known : undefined
  })
}

/** A number without fraction, both ends included. */
export function wholeNumber(least: number, most: number): z.ZodType<number, string> {
  return read((value) => {
    const number = /^\d+$/.test(value) ? Number(value) : NaN
    return number >= least && number <= most ? number : undefined
  })
}

/** Where to listen: `HOST:PORT`, `:PORT`, or nothing. */
export const address = read((value) => {
  if (value === '') return value
  const port = LISTEN_ADDRESS.exec(value)?.[1]
  return port !== undefined && Number(port) <= MAX_PORT ? value : undefined
})

/** `COMPONENT=HOST:PORT`. */
export function readPeer(word: string): PeerAddress | undefined {
  const [, component, host = '', port] = PEER.exec(word) ?? []
  const room = COMPONENTS.find((known) => known === component)
  if (room === undefined || room === 'api' || Number(port) < 1 || Number(port) > MAX_PORT) return undefined
  return { component: room, host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** Bytes of a quantity such as `256Mi`. */
export function readBytes(value: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,9})([a-zA-Z]*)$/.exec(value) ?? []
  const scale = SIZE_UNITS[unit]
  return number === undefined || scale === undefined ? undefined : Number(number) * scale
}

/** Milliseconds of a duration such as `20s`. */
export function readDuration(value: string): number | undefined {
  try {
    return parseDuration(value)
  } catch {
    return undefined
  }
}

/** An https URL, or nothing. */
export function readUrl(value: string): string | undefined {
  if (value === '') return value
  return URL.canParse(value) && new URL(value).protocol === 'https:' ? value : undefined
}

/** The URL of a PostgreSQL database, or nothing. */
export function readDatabaseUrl(value: string): string | undefined {
  if (value === '') return value
  return URL.canParse(value) && /^postgres(?:ql)?:$/.test(new URL(value).protocol) ? value : undefined
}
