import { z } from 'zod'
import { parseDuration } from '../../../src/core/lib/time.ts'
import { LOG_LEVELS } from '../log.ts'
import { COMPONENTS, type Config, type PeerAddress } from './config.ts'

/** One setting: a flag, an environment variable and a key of the configuration file. */
export interface Setting<T> {
  readonly schema: z.ZodType<T, string>
  /** What a value may be, for messages and help. */
  readonly allowed: string
  readonly help: string
  readonly fallback: string
  /** A flag without a value means `true`. */
  readonly isSwitch?: boolean
}

/** The settings by their key in `Config`. */
export type Settings = { readonly [K in keyof Config]: Setting<Config[K]> }

const REFUSED = 'refused'
const DAY_MS = 24 * 60 * 60 * 1000
const MAX_PORT = 65_535

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const DNS_NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/
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
function read<T>(parse: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: REFUSED })
    return z.NEVER
  })
}

const text = z.string().refine((value) => !value.includes('\0'))
const orEmpty = (pattern: RegExp): z.ZodType<string, string> =>
  z.string().refine((value) => value === '' || pattern.test(value))

function words(value: string): string[] {
  return value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

function list<T>(item: (word: string) => T | undefined, least: number): z.ZodType<readonly T[], string> {
  return read((value) => {
    const items = words(value).map(item)
    const known = items.filter((one) => one !== undefined)
    const distinct = new Set(words(value)).size === items.length
    return known.length === items.length && items.length >= least && distinct ? known : undefined
  })
}

function wholeNumber(least: number, most: number): z.ZodType<number, string> {
  return read((value) => {
    const number = /^\d+$/.test(value) ? Number(value) : NaN
    return number >= least && number <= most ? number : undefined
  })
}

const address = read((value) => {
  if (value === '') return value
  const port = LISTEN_ADDRESS.exec(value)?.[1]
  return port !== undefined && Number(port) <= MAX_PORT ? value : undefined
})

function readPeer(word: string): PeerAddress | undefined {
  const [, component, host = '', port] = PEER.exec(word) ?? []
  if (component !== 'image-graph' || Number(port) < 1 || Number(port) > MAX_PORT) return undefined
  return { component, host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

function readBytes(value: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,9})([a-zA-Z]*)$/.exec(value) ?? []
  const scale = SIZE_UNITS[unit]
  return number === undefined || scale === undefined ? undefined : Number(number) * scale
}

function readDuration(value: string): number | undefined {
  try {
    return parseDuration(value)
  } catch {
    return undefined
  }
}

function readUrl(value: string): string | undefined {
  if (value === '') return value
  return URL.canParse(value) && new URL(value).protocol === 'https:' ? value : undefined
}

const ADDRESS_FORM = 'HOST:PORT or :PORT, such as :10250; empty switches it off'
const LABEL_FORM = 'lower-case letters, digits and hyphens'

/** All settings, in the order of the help. */
export const SETTINGS: Settings = {
  components: {
    schema: list((word) => COMPONENTS.find((component) => component === word), 1),
    allowed: `one or more of ${COMPONENTS.join(', ')}, each once, with commas between`,
    help: 'what runs in this process',
    fallback: 'api,image-graph',
  },
  peers: {
    schema: list(readPeer, 0),
    allowed: 'image-graph=HOST:PORT, with commas between',
    help: 'components that run in another pod, whose readers the api asks there',
    fallback: '',
  },
  namespace: {
    schema: orEmpty(DNS_LABEL),
    allowed: LABEL_FORM,
    help: "the companion's own namespace; POD_NAMESPACE or the pod's own where left out",
    fallback: '',
  },
  service: {
    schema: z.string().regex(DNS_LABEL),
    allowed: LABEL_FORM,
    help: "the Service by which the API server reaches the api: its name is in the api's certificate",
    fallback: 'deckwatch',
  },
  podName: {
    schema: orEmpty(DNS_NAME),
    allowed: `${LABEL_FORM}, and dots`,
    help: "this pod's name; POD_NAME or the host's where left out",
    fallback: '',
  },
  kubeconfig: {
    schema: text,
    allowed: 'a path',
    help: "how to reach the API server from outside of a cluster; in a pod its own ServiceAccount's",
    fallback: '',
  },
  context: { schema: text, allowed: 'a name', help: 'the context of the kubeconfig', fallback: '' },
  data: {
    schema: text.min(1),
    allowed: 'a path',
    help: 'the folder with the stores',
    fallback: '/data',
  },
  apiAddress: {
    schema: address,
    allowed: ADDRESS_FORM,
    help: 'where the api, /livez, /readyz and /statusz are served (TLS)',
    fallback: ':10250',
  },
  peerAddress: {
    schema: address,
    allowed: ADDRESS_FORM,
    help: 'where components without an api serve their readers to other pods (mutual TLS)',
    fallback: ':10251',
  },
  metricsAddress: {
    schema: address,
    allowed: ADDRESS_FORM,
    help: 'where /metrics is served',
    fallback: ':8080',
  },
  metricsAuth: {
    schema: read((value) => ({ true: true, false: false })[value]),
    allowed: 'true or false',
    help: 'serve /metrics by TLS, and only to bearers of a token that may get /metrics',
    fallback: 'false',
    isSwitch: true,
  },
  tokenFile: {
    schema: text,
    allowed: 'a path',
    help: "the pod's token of the audience deckwatch-peer, by which it gets a certificate",
    fallback: '/var/run/secrets/deckwatch/token',
  },
  leafUrl: {
    schema: read(readUrl),
    allowed: 'an https URL',
    help: "where a pod without the api gets its certificate; the api's Service where left out",
    fallback: '',
  },
  peerAccounts: {
    schema: list((word) => (DNS_NAME.test(word) ? word : undefined), 0),
    allowed: 'names of ServiceAccounts, with commas between',
    help: 'who gets a certificate from the api: ServiceAccounts of its own namespace',
    fallback: 'deckwatch',
  },
  apiService: {
    schema: orEmpty(DNS_NAME),
    allowed: 'the name of an APIService, or empty for none',
    help: 'the APIService whose caBundle is kept right',
    fallback: 'v1alpha1.deckwatch.dev',
  },
  logLevel: {
    schema: read((value) => LOG_LEVELS.find((level) => level === value)),
    allowed: `one of ${LOG_LEVELS.join(', ')}`,
    help: 'the least that is logged',
    fallback: 'info',
  },
  historyMs: {
    schema: wholeNumber(1, 3650).transform((days) => days * DAY_MS),
    allowed: 'a whole number from 1 to 3650',
    help: 'days of history of images',
    fallback: '7',
  },
  historyEvents: {
    schema: wholeNumber(100, 100_000_000),
    allowed: 'a whole number from 100 to 100000000',
    help: 'events in the history of images',
    fallback: '200000',
  },
  historyBytes: {
    schema: read(readBytes).refine((bytes) => bytes >= 2 ** 20),
    allowed: 'a size of at least 1Mi, such as 256Mi or 1Gi',
    help: 'size of the history of images on the volume',
    fallback: '256Mi',
  },
  watches: {
    schema: wholeNumber(1, 100_000),
    allowed: 'a whole number from 1 to 100000',
    help: 'watches that the api holds open at once, a tenth of them kept back for system:masters',
    fallback: '500',
  },
  watchesPerUser: {
    schema: wholeNumber(1, 100_000),
    allowed: 'a whole number from 1 to 100000',
    help: 'watches that it holds open for one user',
    fallback: '100',
  },
  requestsPerSecond: {
    schema: wholeNumber(1, 100_000),
    allowed: 'a whole number from 1 to 100000',
    help: 'requests that one user may send; twice as many at once after a quiet time',
    fallback: '20',
  },
  shutdownGraceMs: {
    schema: read(readDuration).refine((ms) => ms <= 3_600_000),
    allowed: 'a duration up to 1h, such as 20s',
    help: 'how long the end may take after SIGTERM',
    fallback: '20s',
  },
}

/** Keys whose name for people differs from the one in `Config`, which has a unit. */
const NAMES: Readonly<Partial<Record<keyof Config, string>>> = {
  historyMs: 'history-days',
  historyBytes: 'history-size',
  shutdownGraceMs: 'shutdown-grace',
}

/** The flag without its dashes, which is the key of the file too: `api-address`. */
export function settingName(key: keyof Config): string {
  return NAMES[key] ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The environment variable: `DECKWATCH_API_ADDRESS`. */
export function settingVariable(name: string): string {
  return `DECKWATCH_${name.toUpperCase().replaceAll('-', '_')}`
}
