/** What a key of a list entry, or an entry of a set, may be. */
export type PathScalar = string | number | boolean

/** One step into an object: a map's key, a list's entry by its keys, a set's entry, or a place in any other list. */
export type PathStep =
  | { readonly key: string }
  | { readonly entry: Readonly<Record<string, PathScalar>> }
  | { readonly value: PathScalar }
  | { readonly index: number }

const BARE_KEY = /^[A-Za-z0-9_-]+$/
const BARE_VALUE = /^[A-Za-z0-9_./:@-]+$/
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * Writes a path: keys joined by dots (`spec.replicas`), a key of other characters than `A-Za-z0-9_-` as JSON string
 * (`metadata.labels["a.b/c"]`), a list's entry by its keys (`ports[containerPort=80,protocol=TCP]`, text in JSON form
 * where it is no plain word), a set's entry by its value (`finalizers[="x"]`), a place in another list as `[3]`. The
 * object itself is the empty text.
 */
export function formatPath(steps: readonly PathStep[]): string {
  let text = ''
  for (const step of steps) {
    if (!('key' in step)) text += `[${bracketed(step)}]`
    else if (!BARE_KEY.test(step.key)) text += `[${JSON.stringify(step.key)}]`
    else text += text === '' ? step.key : `.${step.key}`
  }
  return text
}

function bracketed(step: Exclude<PathStep, { readonly key: string }>): string {
  if ('index' in step) return String(step.index)
  if ('value' in step) return `=${JSON.stringify(step.value)}`
  return Object.entries(step.entry)
    .map(([key, value]) => `${BARE_KEY.test(key) ? key : JSON.stringify(key)}=${formatScalar(value)}`)
    .join(',')
}

/** A key's value as a path holds it: a word as it is, text that is none or looks like a number or boolean in JSON form. */
export function formatScalar(value: PathScalar): string {
  if (typeof value !== 'string') return String(value)
  const reads = BARE_VALUE.test(value) && !NUMBER.test(value) && value !== 'true' && value !== 'false'
  return reads ? value : JSON.stringify(value)
}

/** Reads what `formatPath` writes; a RangeError names the place where the text is no path. */
export function parsePath(text: string): PathStep[] {
  return readSteps(text).map((raw) => {
    if (raw.kind === 'step') return raw.step
    const [word] = raw.words
    if (raw.words.length === 1 && word !== undefined) {
      if (word.quoted) return { key: word.text }
      if (/^\d+$/.test(word.text)) return { index: Number(word.text) }
    }
    throw new RangeError(`"${text}" is no path: a list's entry is named by its keys, as in [name=app]`)
  })
}

/** A step as it is read, before it is known whether the text is a path or a pattern. */
export type RawStep =
  | { readonly kind: 'step'; readonly step: PathStep }
  | { readonly kind: 'words'; readonly words: readonly RawWord[] }

/** What stands between brackets without an equals sign. */
export interface RawWord {
  readonly text: string
  readonly quoted: boolean
}

/** Splits the text of a path or a pattern into its steps; a RangeError names the place where it cannot be read. */
export function readSteps(text: string): RawStep[] {
  const reader = new Reader(text)
  const steps: RawStep[] = []
  while (!reader.ended) {
    if (reader.take('[')) {
      steps.push(readBracket(reader))
    } else {
      if (steps.length > 0) reader.expect('.')
      const key = reader.match(/[A-Za-z0-9_-]+|\*/y) ?? reader.fail('a key')
      steps.push(
        key === '*'
          ? { kind: 'words', words: [{ text: key, quoted: false }] }
          : { kind: 'step', step: { key } },
      )
    }
  }
  return steps
}

function readBracket(reader: Reader): RawStep {
  if (reader.take('=')) {
    const value = readScalar(reader)
    reader.expect(']')
    return { kind: 'step', step: { value } }
  }
  const words: RawWord[] = []
  const entry: [string, PathScalar][] = []
  do {
    const word = readWord(reader)
    if (reader.take('=')) entry.push([word.text, readScalar(reader)])
    else words.push(word)
  } while (reader.take(','))
  if (entry.length > 0 && words.length > 0) reader.fail('keys with values')
  reader.expect(']')
  return entry.length > 0
    ? { kind: 'step', step: { entry: Object.fromEntries(entry) } }
    : { kind: 'words', words }
}

function readWord(reader: Reader): RawWord {
  const quoted = reader.quoted()
  if (quoted !== undefined) return { text: quoted, quoted: true }
  return { text: reader.match(/[^\],="[]+/y) ?? reader.fail('a word'), quoted: false }
}

function readScalar(reader: Reader): PathScalar {
  const { text, quoted } = readWord(reader)
  if (quoted) return text
  if (text === 'true' || text === 'false') return text === 'true'
  return NUMBER.test(text) ? Number(text) : text
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get ended(): boolean {
    return this.#at >= this.#text.length
  }

  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  expect(character: string): void {
    if (!this.take(character)) this.fail(`"${character}"`)
  }

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  quoted(): string | undefined {
    const start = this.#at
    const found = this.match(/"(?:[^"\\]|\\.)*"/y)
    if (found === undefined) return undefined
    try {
      return JSON.parse(found) as string
    } catch {
      this.#at = start
      return this.fail('a JSON string')
    }
  }

  fail(wanted: string): never {
    throw new RangeError(`"${this.#text}" is no path: ${wanted} was expected at character ${this.#at + 1}`)
  }
}
