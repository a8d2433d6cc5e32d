import { COMPONENTS } from './components.ts'
import { quantity } from './quantity.ts'

/** How the text of a `--set` becomes a value. */
export type FieldForm = 'text' | 'integer' | 'boolean' | 'texts' | 'map' | 'objects'

/** One key that users may set. */
export interface Field {
  readonly key: string
  readonly form: FieldForm
  readonly ok: (value: unknown) => boolean
  /** Completes "must be …". */
  readonly allowed: string
}

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
const LABEL_KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/
const IMAGE = /^[A-Za-z0-9][-\w./:@]*$/
// As a path of the host: absolute, not the root itself, no way back up.
const FOLDER = /^(?:\/(?!\.{1,2}(?:\/|$))[-\w.]+)+$/
const BINARY_SIZE = /^[1-9]\d{0,8}(?:Mi|Gi|Ti)$/
const BINARY_SIZES = 'a whole number of Mi, Gi or Ti, such as 256Mi'
const AUDITED = /^[a-z0-9][-a-z0-9]{0,62}\.v\d+((alpha|beta)\d+)?(\.[a-z0-9][-a-z0-9]*)*$/
// Kubernetes lets users and groups be called anything.
const FREE_TEXT = /^[^\x00-\x1f\x7f]{1,500}$/
const NAMESPACE_PATTERN = /^[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?$/
const EXTRA = /^[^=\x00-\x1f\x7f]{1,250}=[^\x00-\x1f\x7f]{1,250}$/
const REDACTED = /^(\*|[a-z0-9-]+)(\.[a-z0-9.-]+)?:\S{1,500}$/
const CONDITION_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
// Without a user in it: that is what the Secret is for.
const COLLECTOR = /^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/
const SECRET_KEY = /^[-._a-zA-Z0-9]{1,253}$/
// Of the 64 that Kubernetes allows, some are the companion's own.
const MOST_CONDITIONS = 48
const SHARED_NAMESPACE = /^(?:default|kube-.*)$/

/** Every key, in the order of the chart's values.yaml. */
export const FIELDS: readonly Field[] = [
  {
    key: 'namespace',
    form: 'text',
    ok: (value) => matches(LABEL, value) && !matches(SHARED_NAMESPACE, value),
    allowed: 'the name of a namespace of its own, which uninstall may delete: not default, not kube-…',
  },
  {
    key: 'components',
    form: 'texts',
    ok: (value) =>
      isList(value) &&
      value.length > 0 &&
      isDistinct(value) &&
      value.every((item) => COMPONENTS.some(({ name }) => name === item)),
    allowed: `one or more of ${COMPONENTS.map(({ name }) => name).join(', ')}; or all`,
  },
  text('image', IMAGE, 'an image reference'),
  choice('imagePullPolicy', ['IfNotPresent', 'Always', 'Never']),
  texts('imagePullSecrets', SUBDOMAIN, 'names of Secrets in the namespace of the companion'),
  integer('replicas', 1, 100),
  integer('apiReplicas', 0, 100),
  choice('storage.type', ['pvc', 'hostPath', 'emptyDir']),
  size('storage.size', '5Gi'),
  optional(
    'storage.storageClass',
    SUBDOMAIN,
    "the name of a StorageClass, or empty for the cluster's default",
  ),
  text('storage.path', FOLDER, "an absolute path of a folder on the node, not the node's root"),
  optional('storage.node', SUBDOMAIN, 'the name of a node, or empty'),
  size('resources.requests.cpu', '100m'),
  size('resources.requests.memory', '128Mi'),
  size('resources.limits.memory', '384Mi'),
  optional('priorityClassName', SUBDOMAIN, 'the name of a PriorityClass, or empty'),
  { key: 'hostNetwork', form: 'boolean', ok: isBoolean, allowed: 'true or false' },
  integer('ports.api', 1024, 65535),
  integer('ports.peer', 1024, 65535),
  integer('ports.metrics', 1024, 65535),
  { key: 'networkPolicy', form: 'boolean', ok: isBoolean, allowed: 'true or false' },
  { key: 'metrics.auth', form: 'boolean', ok: isBoolean, allowed: 'true or false' },
  texts('metrics.from', LABEL, 'names of namespaces'),
  choice('logLevel', ['debug', 'info', 'warn', 'error']),
  {
    key: 'nodeSelector',
    form: 'map',
    ok: (value) =>
      isRecord(value) &&
      Object.entries(value).every(([key, item]) => LABEL_KEY.test(key) && matches(LABEL_VALUE, item)),
    allowed: 'labels of nodes: nodeSelector.KEY=VALUE',
  },
  {
    key: 'tolerations',
    form: 'objects',
    ok: (value) => Array.isArray(value) && value.every(isToleration),
    allowed:
      'tolerations with key, operator (Exists, Equal), value, effect, tolerationSeconds: tolerations[0].key=…',
  },
  integer('imageGraph.historyDays', 1, 3650),
  integer('imageGraph.historyEvents', 100, 100_000_000),
  {
    key: 'imageGraph.historySize',
    form: 'text',
    ok: (value) => matches(BINARY_SIZE, value),
    allowed: BINARY_SIZES,
  },
  {
    key: 'auditLog.resources',
    form: 'texts',
    ok: (value) => isList(value) && isDistinct(value) && value.every((item) => matches(AUDITED, item)),
    allowed:
      'names of resources with version and group, each once: certificates.v1.cert-manager.io, endpoints.v1',
  },
  ...(['exclude', 'include'] as const).flatMap((key) => [
    texts(`auditLog.${key}.users`, FREE_TEXT, 'names of users, * for any text'),
    texts(`auditLog.${key}.groups`, FREE_TEXT, 'names of groups, * for any text'),
    texts(`auditLog.${key}.namespaces`, NAMESPACE_PATTERN, 'names of namespaces, * for any text'),
    texts(`auditLog.${key}.extra`, EXTRA, 'KEY=VALUE of what is known of a user beside name and groups'),
  ]),
  {
    key: 'auditLog.conditions',
    form: 'objects',
    ok: isConditions,
    allowed: `at most ${MOST_CONDITIONS} CEL conditions, each with another name: auditLog.conditions[0].name=…, auditLog.conditions[0].expression=…`,
  },
  { key: 'auditLog.access', form: 'boolean', ok: isBoolean, allowed: 'true or false' },
  { key: 'auditLog.watchSecrets', form: 'boolean', ok: isBoolean, allowed: 'true or false' },
  texts('auditLog.redact', REDACTED, 'fields as RESOURCE.GROUP:PATH, such as configmaps:data.token'),
  integer('auditLog.historyDays', 1, 3650),
  integer('auditLog.secretsDays', 1, 3650),
  integer('auditLog.perObject', 1, 100_000),
  integer('auditLog.keepLast', 0, 1000),
  optional('auditLog.historySize', BINARY_SIZE, `${BINARY_SIZES}; or empty for the rest of the volume`),
  text('auditLog.journalSize', BINARY_SIZE, BINARY_SIZES),
  optional('auditLog.export.url', COLLECTOR, 'an http or https URL without a user in it, or empty'),
  choice('auditLog.export.format', ['otlp', 'jsonl']),
  optional(
    'auditLog.export.secret.name',
    SUBDOMAIN,
    'the name of a Secret in the namespace of the companion, or empty',
  ),
  text('auditLog.export.secret.key', SECRET_KEY, 'a key of that Secret'),
  optional('store.secret', SUBDOMAIN, 'the name of a Secret in the namespace of the companion, or empty'),
  text('store.key', SECRET_KEY, 'a key of that Secret'),
]

/** The keys that somebody may have meant who wrote one that there is not: those below or beside it, else all; with commas between. */
export function keysNear(key: string): string {
  const keys = FIELDS.map((field) => field.key)
  const [first = ''] = key.split('.')
  const near = [`${key}.`, key.slice(0, key.lastIndexOf('.') + 1), `${first}.`]
    .filter((prefix) => prefix !== '')
    .map((prefix) => keys.filter((known) => known.startsWith(prefix)))
    .find((some) => some.length > 0)
  return (near ?? keys).join(', ')
}

function text(key: string, pattern: RegExp, allowed: string): Field {
  return { key, form: 'text', ok: (value) => matches(pattern, value), allowed }
}

function optional(key: string, pattern: RegExp, allowed: string): Field {
  return { key, form: 'text', ok: (value) => value === '' || matches(pattern, value), allowed }
}

function choice(key: string, choices: readonly string[]): Field {
  const ok = (value: unknown): boolean => typeof value === 'string' && choices.includes(value)
  return { key, form: 'text', ok, allowed: `one of ${choices.join(', ')}` }
}

function integer(key: string, least: number, most: number): Field {
  const ok = (value: unknown): boolean =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
  return { key, form: 'integer', ok, allowed: `a whole number from ${least} to ${most}` }
}

function size(key: string, example: string): Field {
  const ok = (value: unknown): boolean => typeof value === 'string' && (quantity(value) ?? 0) > 0
  return { key, form: 'text', ok, allowed: `a Kubernetes quantity above 0, such as ${example}` }
}

function texts(key: string, pattern: RegExp, allowed: string): Field {
  const ok = (value: unknown): boolean => isList(value) && value.every((item) => matches(pattern, item))
  return { key, form: 'texts', ok, allowed }
}

function isToleration(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { key, operator, value: wanted, effect, tolerationSeconds, ...others } = value
  return (
    Object.keys(others).length === 0 &&
    (key === undefined || matches(LABEL_KEY, key)) &&
    (operator === 'Exists' || (operator ?? 'Equal') === 'Equal') &&
    (key !== undefined || operator === 'Exists') &&
    (wanted === undefined || (matches(LABEL_VALUE, wanted) && operator !== 'Exists')) &&
    (effect === undefined || matches(/^(?:NoSchedule|PreferNoSchedule|NoExecute)$/, effect)) &&
    (tolerationSeconds === undefined || (Number.isInteger(tolerationSeconds) && effect === 'NoExecute'))
  )
}

function isConditions(value: unknown): boolean {
  if (!isList(value) || value.length > MOST_CONDITIONS) return false
  const names = value.map((item) => {
    if (!isRecord(item)) return undefined
    const { name, expression, ...others } = item
    const isWhole = Object.keys(others).length === 0 && typeof expression === 'string'
    return isWhole && expression.trim() !== '' && matches(CONDITION_NAME, name) ? name : undefined
  })
  return !names.includes(undefined) && isDistinct(names)
}

function isDistinct(list: readonly unknown[]): boolean {
  return new Set(list).size === list.length
}

function matches(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
