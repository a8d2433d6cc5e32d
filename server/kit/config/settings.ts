import { z } from 'zod'
import { LOG_LEVELS } from '../log.ts'
import { AUDIT_SETTING_NAMES, AUDIT_SETTINGS } from './audit-settings.ts'
import { COMPONENTS, type Config } from './config.ts'
import {
  address,
  DNS_LABEL,
  DNS_NAME,
  list,
  orEmpty,
  read,
  readDatabaseUrl,
  readBytes,
  readDuration,
  readPeer,
  readUrl,
  type Setting,
  text,
  wholeNumber,
} from './setting-schemas.ts'

/** The settings by their key in `Config`. */
export type Settings = { readonly [K in keyof Config]: Setting<Config[K]> }

const DAY_MS = 24 * 60 * 60 * 1000

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
    allowed: 'image-graph=HOST:PORT or audit-log=HOST:PORT, with commas between',
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
  store: {
    schema: read(readDatabaseUrl),
    allowed: 'postgres://USER:PASSWORD@HOST/DATABASE, or empty for the volume',
    help: 'the database of the components that can share one; by the variable DECKWATCH_STORE, for others see flags',
    fallback: '',
    isSecret: true,
  },
  ...AUDIT_SETTINGS,
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
  ...AUDIT_SETTING_NAMES,
}

/** The flag without its dashes, which is the key of the file too: `api-address`. */
export function settingName(key: keyof Config): string {
  return NAMES[key] ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The environment variable: `DECKWATCH_API_ADDRESS`. */
export function settingVariable(name: string): string {
  return `DECKWATCH_${name.toUpperCase().replaceAll('-', '_')}`
}
