import { isUtf8 } from 'node:buffer'
import type { KubernetesObject } from '../wire/admission-review.ts'
import { judgeName, type NameVerdict } from './redact-object-names.ts'
import { readRedactedPath, redactPath } from './redact-object-paths.ts'
import { redactText } from './redact-object-text.ts'
import { isRedacted, isReference, type Mark, REDACTED } from './redact-object-values.ts'

/** How values that were not kept are known. */
export { isRedacted, REDACTED } from './redact-object-values.ts'

/** What a redactor is made with. */
export interface RedactorOptions {
  /** Keyed by what the installation alone knows; gives at least 16 hexadecimal digits. */
  readonly hmac: (text: string) => string
  /** Further fields whose values are not kept: `RESOURCE.GROUP:PATH`, `*` for any key or entry. */
  readonly paths: readonly string[]
}

/** Gives an object without its credentials; the one that was given stays as it is. */
export type Redactor = (
  resource: { readonly group: string; readonly resource: string },
  object: KubernetesObject,
) => KubernetesObject

type Fields = Readonly<Record<string, unknown>>

/** Tools keep whole objects here. */
const WHOLE_OBJECTS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'kapp.k14s.io/original',
  'objectset.rio.cattle.io/applied',
  'banzaicloud.com/last-applied',
])

/** What is said of a Secret in public; all other annotations of Secrets may hold their values, or hashes of them. */
const PUBLIC_OF_SECRETS =
  /^(?:meta\.helm\.sh\/release-name(?:space)?|helm\.sh\/(?:hook|hook-weight|hook-delete-policy|resource-policy)|argocd\.argoproj\.io\/(?:tracking-id|sync-wave|sync-options|compare-options|installation-id)|(?:[a-z]+\.)*fluxcd\.io\/[a-z-]+|kubernetes\.io\/service-account\.(?:name|uid)|cert-manager\.io\/[a-z-]+)$/

/** Text that is chosen from, never secret, and looked at most often. */
const PLAIN_MAPS = new Set(['labels', 'matchLabels', 'nodeSelector', 'selector'])

const MAX_DEPTH = 200
/** Names that were judged are remembered; a cluster has a few thousand. */
const MAX_NAMES = 10_000

/**
 * Makes a redactor. What it takes out is replaced by a keyed mark, the same for the same value of one object, so that a
 * change is still seen as one. It throws RangeError where a path of the options cannot be read, and, later, where an
 * object is nested too deeply.
 */
export function createRedactor({ hmac, paths }: RedactorOptions): Redactor {
  const patterns = paths.map(readRedactedPath)
  const verdicts = new Map<string, NameVerdict>()
  const judge = (name: string): NameVerdict => {
    const known = verdicts.get(name)
    if (known !== undefined) return known
    const verdict = judgeName(name)
    if (verdicts.size >= MAX_NAMES) verdicts.clear()
    verdicts.set(name, verdict)
    return verdict
  }
  return ({ group, resource }, object) => {
    // Marks of one object cannot be compared with those of another: else who may write some could try values out.
    const scope = `${resource}.${group}/${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}\0`
    const mark: Mark = (value) => (isRedacted(value) ? value : REDACTED + hmac(scope + value).slice(0, 16))
    let redacted: Fields = group === '' && resource === 'secrets' ? secret(object, mark) : object
    if (group === '' && resource === 'configmaps') redacted = binaryData(redacted, mark)
    redacted = new Redaction(mark, judge, group === 'apiextensions.k8s.io').object(redacted, 0)
    for (const pattern of patterns) {
      if (pattern.resource === resource && pattern.group === group) {
        redacted = redactPath(redacted, pattern.steps, mark) as Fields
      }
    }
    return redacted
  }
}

class Redaction {
  readonly #mark: Mark
  readonly #judge: (name: string) => NameVerdict
  /** Schemas name fields and hold no values. */
  readonly #namesOnly: boolean

  constructor(mark: Mark, judge: (name: string) => NameVerdict, namesOnly: boolean) {
    this.#mark = mark
    this.#judge = judge
    this.#namesOnly = namesOnly
  }

  object(fields: Fields, depth: number): Fields {
    let copy: Record<string, unknown> | undefined
    for (const key in fields) {
      const value = fields[key]
      const kept = this.#field(key, value, depth)
      if (kept !== value) (copy ??= { ...fields })[key] = kept
    }
    const { name, value } = fields
    if (typeof name === 'string' && isValue(value) && this.#isCredential(name)) {
      const kept = this.#value(value)
      if (kept !== value) (copy ??= { ...fields }).value = kept
    }
    return copy ?? fields
  }

  #field(key: string, value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.#text(key, value)
    if (typeof value === 'number') return this.#isCredential(key) ? this.#value(value) : value
    if (typeof value !== 'object' || value === null) return value
    refuseDeep(depth)
    if (depth === 0 && key === 'metadata' && isFields(value)) return this.#metadata(value)
    if (Array.isArray(value)) return this.#list(key, value as readonly unknown[], depth + 1)
    if (key === 'annotations') return this.#annotations(value as Fields, depth)
    // What labels are called says nothing of their values.
    if (PLAIN_MAPS.has(key))
      return this.#texts(value as Fields, depth, (_key, text) => this.#free(text, 'public'))
    return this.#nested(value as Fields, depth)
  }

  /** Managed fields, which are many, name fields; elsewhere something of that name may hold anything. */
  #metadata(fields: Fields): Fields {
    const { managedFields, ...others } = fields
    const kept = this.object(others, 1)
    if (kept === others) return fields
    return managedFields === undefined ? kept : { ...kept, managedFields }
  }

  /** Some kinds hold whole objects of others. */
  #nested(fields: Fields, depth: number): Fields {
    const isSecret = fields.kind === 'Secret' && fields.apiVersion === 'v1'
    return this.object(isSecret ? secret(fields, this.#mark) : fields, depth + 1)
  }

  #isCredential(name: string): boolean {
    return !this.#namesOnly && this.#judge(name) === 'credential'
  }

  #value(value: unknown): string | number {
    if (typeof value === 'number') return this.#mark(String(value))
    const text = value as string
    return isReference(text) ? text : this.#mark(text)
  }

  #text(key: string, value: string): string {
    const verdict = this.#judge(key)
    if (verdict === 'credential' && !this.#namesOnly) return this.#value(value) as string
    return key === 'image' ? value : this.#free(value, verdict)
  }

  #free(text: string, verdict: NameVerdict): string {
    return redactText(text, this.#mark, { random: verdict !== 'public', names: !this.#namesOnly })
  }

  #list(key: string, list: readonly unknown[], depth: number): readonly unknown[] {
    refuseDeep(depth)
    let copy: unknown[] | undefined
    for (let i = 0; i < list.length; i++) {
      const value = list[i]
      let kept = value
      if (typeof value === 'string') {
        kept =
          this.#isFlag(list[i - 1]) && !value.startsWith('-') ? this.#value(value) : this.#text(key, value)
      } else if (Array.isArray(value)) {
        kept = this.#list(key, value as readonly unknown[], depth + 1)
      } else if (typeof value === 'object' && value !== null) {
        kept = this.#nested(value as Fields, depth)
      }
      if (kept !== value) (copy ??= [...list])[i] = kept
    }
    return copy ?? list
  }

  #isFlag(before: unknown): boolean {
    return (
      typeof before === 'string' && /^--?[A-Za-z][\w.-]{0,128}$/.test(before) && this.#isCredential(before)
    )
  }

  #annotations(annotations: Fields, depth: number): Fields {
    return this.#texts(annotations, depth, (key, value) => {
      if (WHOLE_OBJECTS.has(key)) return this.#mark(value)
      // An ingress names the Secret of its users: `nginx.ingress.kubernetes.io/auth-secret`.
      const named = this.#isCredential(key) && !/\.[a-z]+\/.*secret$/.test(key)
      return named ? (this.#value(value) as string) : this.#free(value, this.#judge(key))
    })
  }

  /** A map of texts; whatever else is in it is looked at like any other field. */
  #texts(fields: Fields, depth: number, change: (key: string, value: string) => string): Fields {
    let copy: Record<string, unknown> | undefined
    for (const key in fields) {
      const value = fields[key]
      const kept = typeof value === 'string' ? change(key, value) : this.#field(key, value, depth + 1)
      if (kept !== value) (copy ??= { ...fields })[key] = kept
    }
    return copy ?? fields
  }
}

function refuseDeep(depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(`the object is nested more than ${MAX_DEPTH} times`)
}

/** A Secret without its values. Equal values have equal marks, whether they are written in base64 or as they are. */
function secret(object: Fields, mark: Mark): Fields {
  const { data, stringData, metadata } = object
  const copy: Record<string, unknown> = { ...object }
  if (data !== undefined && data !== null) copy.data = mapAll(data, mark, (value) => mark(plain(value)))
  if (stringData !== undefined && stringData !== null) copy.stringData = mapAll(stringData, mark, mark)
  if (isFields(metadata) && isFields(metadata.annotations)) {
    const annotations = mapTexts(metadata.annotations, (key, value) =>
      PUBLIC_OF_SECRETS.test(key) ? value : mark(value),
    )
    copy.metadata = { ...metadata, annotations }
  }
  return copy
}

function plain(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  return isUtf8(bytes) && bytes.toString('base64') === base64 ? bytes.toString('utf8') : `\0base64:${base64}`
}

function binaryData(object: Fields, mark: Mark): Fields {
  const { binaryData: data } = object
  if (data === undefined || data === null) return object
  return { ...object, binaryData: mapAll(data, mark, mark) }
}

/** Each value of a map by its mark; whatever else stands there by the mark of all of it. */
function mapAll(map: unknown, mark: Mark, change: (value: string) => string): unknown {
  if (!isFields(map)) return mark(JSON.stringify(map))
  const copy: Record<string, unknown> = { ...map }
  for (const [key, value] of Object.entries(map)) {
    if (isRedacted(value)) continue
    copy[key] = typeof value === 'string' ? change(value) : mark(JSON.stringify(value))
  }
  return copy
}

function mapTexts(map: Fields, change: (key: string, value: string) => string): Fields {
  let copy: Record<string, unknown> | undefined
  for (const key in map) {
    const value = map[key]
    if (typeof value !== 'string') continue
    const kept = change(key, value)
    if (kept !== value) (copy ??= { ...map })[key] = kept
  }
  return copy ?? map
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isValue(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number'
}
