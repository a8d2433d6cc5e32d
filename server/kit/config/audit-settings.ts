import { z } from 'zod'
import type { AuditConfig, SizeLimit } from './config.ts'
import { DNS_LABEL, DNS_NAME, list, read, readBytes, type Setting, wholeNumber } from './setting-schemas.ts'

type AuditSettings = { readonly [K in keyof AuditConfig]: Setting<AuditConfig[K]> }

const HTTPS_PORT = 443
const MAX_PORT = 65_535
const DAY_MS = 24 * 60 * 60 * 1000
/** RESOURCE.VERSION.GROUP, RESOURCE.VERSION for core kinds. */
const RESOURCE = /^[a-z0-9-]+\.v\d+(?:(?:alpha|beta)\d+)?(?:\.[a-z0-9.-]+)?$/
const REDACTED_PATH = /^(?:\*|[a-z0-9-]+)(?:\.[a-z0-9.-]+)?:\S+$/
const EXTRA = /^[^=]+=.*$/
/** RFC 9110 §5: a token, and what may be seen of ASCII. */
const HEADER = /^([!#$%&'*+.^_`|~\w-]+)=([\t\x20-\x7e]*)$/

const anyWords = list((word) => word, 0)
const pairs = list((word) => (EXTRA.test(word) ? word : undefined), 0)
const trueOrFalse = read((value) => ({ true: true, false: false })[value])

const WORDS_FORM = 'texts with commas between, or a JSON array of them, * for any characters'
const PAIRS_FORM = 'KEY=VALUE, with commas between, or a JSON array of such'

function words(help: string): Setting<readonly string[]> {
  return { schema: anyWords, allowed: WORDS_FORM, help, fallback: '' }
}

function readConditions(value: string): AuditConfig['auditConditions'] | undefined {
  if (value === '') return []
  try {
    const items: unknown = JSON.parse(value)
    const isCondition = (item: unknown): item is AuditConfig['auditConditions'][number] =>
      typeof (item as { name?: unknown } | null)?.name === 'string' &&
      typeof (item as { expression?: unknown }).expression === 'string'
    return Array.isArray(items) && items.every(isCondition) ? items : undefined
  } catch {
    return undefined
  }
}

function readSize(value: string): SizeLimit | undefined {
  const [, percent] = /^(\d{1,2})%$/.exec(value) ?? []
  if (percent !== undefined) return Number(percent) > 0 ? { share: Number(percent) / 100 } : undefined
  const bytes = readBytes(value)
  return bytes !== undefined && bytes >= 2 ** 20 ? { bytes } : undefined
}

function readService(value: string): AuditConfig['auditService'] | undefined {
  const [, name = '', port = String(HTTPS_PORT)] = /^([a-z0-9-]*)(?::(\d{1,5}))?$/.exec(value) ?? []
  if (name === '' && value !== '') return undefined
  if (name !== '' && !DNS_LABEL.test(name)) return undefined
  return Number(port) <= MAX_PORT ? { name, port: Number(port) } : undefined
}

/** The URL of a collector, or nothing; fetch takes none with a user in it. */
function readCollector(value: string): string | undefined {
  if (value === '') return value
  if (!URL.canParse(value)) return undefined
  const { protocol, username, password } = new URL(value)
  return /^https?:$/.test(protocol) && username === '' && password === '' ? value : undefined
}

const headers = list((word) => {
  const [, name, content] = HEADER.exec(word) ?? []
  return name === undefined ? undefined : ([name.toLowerCase(), content ?? ''] as const)
}, 0).transform((named) => Object.fromEntries(named))

/** The settings of the audit log, in the order of the help. */
export const AUDIT_SETTINGS: AuditSettings = {
  auditResources: {
    schema: list((word) => (RESOURCE.test(word) ? word : undefined), 0),
    allowed: 'RESOURCE.VERSION.GROUP, such as certificates.v1.cert-manager.io, with commas between',
    help: 'types whose changes are recorded, beside the built-in ones',
    fallback: '',
  },
  auditExcludeUsers: words('users whose changes are not recorded'),
  auditExcludeGroups: words('groups whose changes are not recorded'),
  auditExcludeNamespaces: words('namespaces whose changes are not recorded'),
  auditExcludeExtra: {
    schema: pairs,
    allowed: PAIRS_FORM,
    help: 'users with such an extra: their changes are not recorded',
    fallback: '',
  },
  auditIncludeUsers: words('where set, only changes of these users are recorded'),
  auditIncludeGroups: words('where set, only changes of these groups are recorded'),
  auditIncludeNamespaces: words('where set, only changes in these namespaces are recorded'),
  auditIncludeExtra: {
    schema: pairs,
    allowed: PAIRS_FORM,
    help: 'where set, only changes of users with such an extra are recorded',
    fallback: '',
  },
  auditConditions: {
    schema: read(readConditions),
    allowed: 'JSON: [{"name": "…", "expression": "a CEL expression"}]',
    help: 'conditions that must all hold for a change to be recorded (matchConditions)',
    fallback: '',
  },
  auditAccess: {
    schema: trueOrFalse,
    allowed: 'true or false',
    help: 'record exec, attach and port-forward too, without their arguments',
    fallback: 'false',
    isSwitch: true,
  },
  auditWatchSecrets: {
    schema: trueOrFalse,
    allowed: 'true or false',
    help: 'watch the metadata of Secrets, so that their changes are confirmed (a right to list them)',
    fallback: 'false',
    isSwitch: true,
  },
  auditRedact: {
    schema: list((word) => (REDACTED_PATH.test(word) ? word : undefined), 0),
    allowed: 'RESOURCE.GROUP:PATH, with commas between',
    help: 'further fields whose values are never kept',
    fallback: '',
  },
  auditHistoryMs: {
    schema: wholeNumber(1, 3650).transform((days) => days * DAY_MS),
    allowed: 'a whole number from 1 to 3650',
    help: 'days of history of changes',
    fallback: '30',
  },
  auditSecretsMs: {
    schema: wholeNumber(1, 3650).transform((days) => days * DAY_MS),
    allowed: 'a whole number from 1 to 3650',
    help: 'days of history of Secrets',
    fallback: '7',
  },
  auditPerObject: {
    schema: wholeNumber(1, 100_000),
    allowed: 'a whole number from 1 to 100000',
    help: 'changes that are kept of each object',
    fallback: '100',
  },
  auditKeepLast: {
    schema: wholeNumber(0, 1000),
    allowed: 'a whole number from 0 to 1000',
    help: 'changes of each object that are kept however old they are',
    fallback: '10',
  },
  auditSize: {
    schema: read(readSize),
    allowed: 'a size of at least 1Mi, such as 2Gi, or a part of the volume, such as 80%',
    help: 'size of the history of changes',
    fallback: '80%',
  },
  auditJournalBytes: {
    schema: read(readBytes).refine((bytes) => bytes >= 2 ** 20),
    allowed: 'a size of at least 1Mi, such as 256Mi',
    help: 'size of what was received and is not yet in the history; beyond it, changes are counted only',
    fallback: '256Mi',
  },
  auditService: {
    schema: read(readService),
    allowed: 'NAME or NAME:PORT of a Service',
    help: "the Service by which the API server reaches the webhook; the api's own where left out",
    fallback: '',
  },
  auditWebhook: {
    schema: z.string().refine((value) => value === '' || DNS_NAME.test(value)),
    allowed: 'the name of a ValidatingWebhookConfiguration, or empty for none',
    help: 'the webhook that is kept right',
    fallback: 'deckwatch-audit-log',
  },
  auditExport: {
    schema: read(readCollector),
    allowed: 'an http or https URL, such as https://collector:4318/v1/logs, or empty for none',
    help: 'a collector that is told of every change that landed, at least once',
    fallback: '',
    // People put tokens into URLs.
    isSecret: true,
  },
  auditExportFormat: {
    schema: z.enum(['otlp', 'jsonl']),
    allowed: 'otlp (OTLP/HTTP logs as JSON) or jsonl (the changes as JSON, one a line)',
    help: 'how the collector is told',
    fallback: 'otlp',
  },
  auditExportHeaders: {
    schema: headers,
    allowed: 'NAME=VALUE, with commas between, or a JSON array of such',
    help: 'headers for the collector; by the variable DECKWATCH_AUDIT_EXPORT_HEADERS, for others see flags',
    fallback: '',
    isSecret: true,
  },
}

/** Their names for people, where those differ. */
export const AUDIT_SETTING_NAMES = {
  auditHistoryMs: 'audit-history-days',
  auditSecretsMs: 'audit-secrets-days',
  auditJournalBytes: 'audit-journal-size',
} as const satisfies Partial<Record<keyof AuditConfig, string>>
