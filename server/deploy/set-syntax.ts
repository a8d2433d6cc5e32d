import { ValuesError } from './values-error.ts'

/** One `KEY=VALUE`: the key cut at its dots and indexes, the value as written, a list where it stood in braces. */
export interface Assignment {
  readonly path: readonly (string | number)[]
  readonly value: string | readonly string[]
}

/**
 * Reads one `--set` in Helm's syntax: `a.b=1`, several with commas between them, lists as `a={x,y}`, places of lists as
 * `a[0].b=x`; a backslash takes the next character as it is (`nodeSelector.kubernetes\.io/os=linux`).
 */
export function parseSet(text: string): readonly Assignment[] {
  const scanner = new Scanner(text)
  const assignments: Assignment[] = []
  do {
    const path = readPath(scanner)
    assignments.push({ path, value: scanner.take('{') ? readList(scanner) : scanner.readUntil(',') })
  } while (scanner.take(','))
  if (!scanner.atEnd) throw scanner.error(`nothing may follow "}" but a comma`)
  return assignments
}

function readPath(scanner: Scanner): (string | number)[] {
  const path: (string | number)[] = []
  do {
    const name = scanner.readUntil('.=[,')
    if (name === '') throw scanner.error('a key is empty')
    path.push(name)
    while (scanner.take('[')) {
      const index = scanner.readUntil(']')
      if (!/^\d{1,3}$/.test(index) || !scanner.take(']'))
        throw scanner.error('an index must be a number in []')
      path.push(Number(index))
    }
  } while (scanner.take('.'))
  if (!scanner.take('=')) throw scanner.error('the form is KEY=VALUE')
  return path
}

function readList(scanner: Scanner): string[] {
  if (scanner.take('}')) return []
  const items: string[] = []
  do items.push(scanner.readUntil(',}').trim())
  while (scanner.take(','))
  if (!scanner.take('}')) throw scanner.error('a list must end with "}"')
  return items
}

/** A place in the text of a `--set`. */
class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length
  }

  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  readUntil(ends: string): string {
    let read = ''
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text.charAt(this.#at)
      if (ends.includes(character)) break
      if (character === '\\' && this.#at + 1 < this.#text.length) this.#at++
      read += this.#text.charAt(this.#at)
    }
    return read
  }

  error(why: string): ValuesError {
    return new ValuesError('set', `cannot read --set ${this.#text}: ${why}`)
  }
}
