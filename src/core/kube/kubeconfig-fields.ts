import { DeckError } from '../lib/errors.ts'

/**
 * One mapping of a kubeconfig, read with the types that client-go gives its fields: a missing or null field is its
 * zero value, a value of another type is an error that names the field.
 */
export class KubeconfigFields {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #file: string
  readonly #path: string

  constructor(value: unknown, file: string, path = '') {
    this.#file = file
    this.#path = path
    if (value !== null && value !== undefined && (typeof value !== 'object' || Array.isArray(value))) {
      throw this.#wrong('', 'a mapping', value)
    }
    this.#values = (value ?? {}) as Record<string, unknown>
  }

  string(name: string): string {
    const value = this.#values[name] ?? ''
    if (typeof value !== 'string') throw this.#wrong(name, 'a string', value)
    return value
  }

  boolean(name: string): boolean {
    const value = this.#values[name] ?? false
    if (typeof value === 'boolean') return value
    // kubectl reads YAML 1.1, where these words are booleans.
    if (typeof value === 'string' && /^(?:y|yes|on)$/i.test(value)) return true
    if (typeof value === 'string' && /^(?:n|no|off)$/i.test(value)) return false
    throw this.#wrong(name, 'true or false', value)
  }

  /** Base64 as Go reads it: line breaks inside are skipped, padding is needed. */
  bytes(name: string): string {
    const text = this.string(name).replaceAll(/[\r\n]/g, '')
    if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
      throw this.#fault(`${this.#path}${name} is not valid base64`)
    }
    return Buffer.from(text, 'base64').toString('utf8')
  }

  mapping(name: string): KubeconfigFields {
    return new KubeconfigFields(this.#values[name], this.#file, `${this.#path}${name}.`)
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null
  }

  /** Any value, as it stands. */
  raw(name: string): unknown {
    return this.#values[name]
  }

  mappings(name: string): KubeconfigFields[] {
    return this.#list(name).map(
      (item, position) => new KubeconfigFields(item, this.#file, `${this.#path}${name}[${position}].`),
    )
  }

  strings(name: string): string[] {
    return this.#list(name).map((item, position) => {
      if (item !== null && typeof item !== 'string')
        throw this.#wrong(`${name}[${position}]`, 'a string', item)
      return item ?? ''
    })
  }

  stringMap(name: string): Record<string, string> {
    const fields = this.mapping(name)
    return Object.fromEntries(Object.keys(fields.#values).map((key) => [key, fields.string(key)]))
  }

  stringLists(name: string): Record<string, string[]> {
    const fields = this.mapping(name)
    return Object.fromEntries(Object.keys(fields.#values).map((key) => [key, fields.strings(key)]))
  }

  /** The entries of a list of `{name, [of]}`; a name given twice in one file is an error, as in kubectl. */
  named<T>(list: string, of: string, decode: (fields: KubeconfigFields, name: string) => T): Map<string, T> {
    const entries = new Map<string, T>()
    for (const entry of this.mappings(list)) {
      const name = entry.string('name')
      if (entries.has(name)) throw this.#fault(`${this.#path}${list} names ${JSON.stringify(name)} twice`)
      entries.set(name, decode(entry.mapping(of), name))
    }
    return entries
  }

  #list(name: string): unknown[] {
    const value = this.#values[name] ?? []
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list', value)
    return value
  }

  // Never the value itself: it may be a secret.
  #wrong(name: string, wanted: string, found: unknown): DeckError {
    const field = `${this.#path}${name}`.replace(/\.$/, '') || 'it'
    const kind = found === null ? 'null' : Array.isArray(found) ? 'a list' : `a ${typeof found}`
    return this.#fault(`${field} must be ${wanted} and is ${kind === 'a object' ? 'a mapping' : kind}`)
  }

  #fault(what: string): DeckError {
    return new DeckError('KUBECONFIG_MALFORMED', `cannot use kubeconfig ${this.#file}: ${what}`, {
      hint: `Correct the file; \`kubectl config view --kubeconfig ${this.#file}\` shows what kubectl makes of it.`,
    })
  }
}
