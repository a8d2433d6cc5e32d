import { DeckError } from '../../core/lib/errors.ts'
import { visible } from '../../core/lib/text.ts'
import { readQuoted } from './jsonpath-quote.ts'

/** One step of a path: takes the values found so far and finds the next ones. */
export type PathStep =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'index'; readonly index: number }
  | {
      readonly kind: 'slice'
      readonly start: number
      readonly end: number | undefined
      readonly step: number
    }
  | { readonly kind: 'union'; readonly branches: readonly Path[] }
  | { readonly kind: 'exists'; readonly operand: Path }
  | { readonly kind: 'compare'; readonly left: Path; readonly operator: Operator; readonly right: Path }
  /** A number or truth value: one for each value found so far. */
  | { readonly kind: 'constant'; readonly value: number | boolean }
  /** Quoted text: replaces whatever was found so far. */
  | { readonly kind: 'text'; readonly text: string }

/** Steps in the order they are taken. */
export type Path = readonly PathStep[]

/** A comparison in a filter. */
export type Operator = (typeof OPERATORS)[number]

/** One part of a template. */
export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly path: Path }
  | {
      readonly kind: 'range'
      readonly path: Path
      readonly body: readonly TemplateNode[]
      /** False without its `{end}`. */
      readonly closed: boolean
    }

const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const
const FIELD_ENDS = ' \t\r\n.,[]$@{}'
const OPERATOR_SIGNS = '!<>='

/** Parses a template of kubectl's JSONPath; a DeckError USAGE says at which character it is wrong. */
export function parseTemplate(template: string): readonly TemplateNode[] {
  return new TemplateParser(template).template()
}

interface OpenRange {
  readonly path: Path
  readonly outer: TemplateNode[]
}

class TemplateParser {
  readonly #template: string
  /** Where the part that is being read ends. */
  #end: number
  #position = 0
  /** Characters that end a field besides FIELD_ENDS: in a filter its operator and bracket. */
  #stops = ''

  constructor(template: string) {
    this.#template = template
    this.#end = template.length
  }

  template(): readonly TemplateNode[] {
    const open: OpenRange[] = []
    let nodes: TemplateNode[] = []
    const close = (closed: boolean): void => {
      const range = open.pop()
      if (!range) return
      range.outer.push({ kind: 'range', path: range.path, body: nodes, closed })
      nodes = range.outer
    }
    while (this.#position < this.#end) {
      const brace = this.#template.indexOf('{', this.#position)
      const textEnd = brace < 0 ? this.#end : brace
      if (textEnd > this.#position) {
        nodes.push({ kind: 'text', text: this.#template.slice(this.#position, textEnd) })
      }
      if (brace < 0) break
      this.#position = brace + 1
      const keyword = this.#keyword()
      const path = this.#path('}')
      this.#position += 1
      if (keyword === 'range') {
        open.push({ path, outer: nodes })
        nodes = []
      } else if (keyword === 'end') {
        if (open.length === 0) throw this.#fault('there is no range that this could end', brace)
        close(true)
      } else {
        nodes.push({ kind: 'action', path })
      }
    }
    while (open.length > 0) close(false)
    return nodes
  }

  #keyword(): string | undefined {
    const [all, word] =
      /^ *(range|end)(?![^ \t\r\n.,[\]$@{}])/.exec(this.#template.slice(this.#position)) ?? []
    if (all === undefined) return undefined
    this.#position += all.length
    return word
  }

  /** Reads steps up to one of the characters `ends`, which stays. */
  #path(ends: string): Path {
    const steps: PathStep[] = []
    for (;;) {
      const character = this.#peek()
      if (character !== '' && ends.includes(character)) return steps
      if (character === '' && ends === '') return steps
      if (character === '' || character === '\n' || character === '\r') {
        throw this.#fault(
          ends === '}' ? 'the action is not closed with }' : 'the filter is not closed with )]',
        )
      }
      if (character === ' ' || character === '@' || character === '$') this.#position += 1
      else if (this.#template.startsWith('..', this.#position)) this.#recursive(steps)
      else if (character === '.') this.#field(steps)
      else if (this.#template.startsWith('[?(', this.#position)) steps.push(this.#filter())
      else if (character === '[') this.#brackets(steps)
      else if (character === '"' || character === "'") steps.push(this.#quoted())
      else if (/[-+\d]/.test(character)) steps.push(this.#number())
      else if (/[\p{L}_]/u.test(character)) steps.push(this.#word())
      else throw this.#fault(`"${visible(character)}" cannot stand here`)
    }
  }

  #recursive(steps: PathStep[]): void {
    if (steps.at(-1)?.kind === 'recursive') throw this.#fault('one .. cannot follow another')
    steps.push({ kind: 'recursive' })
    this.#position += 1
    // ..name is recursion and then the field; the second dot begins it.
    if (/[\p{L}\d_]/u.test(this.#template.charAt(this.#position + 1))) this.#field(steps)
    else this.#position += 1
  }

  /** Reads a field from its dot on. */
  #field(steps: PathStep[]): void {
    this.#position += 1
    steps.push(this.#fieldName())
  }

  #fieldName(): PathStep {
    let name = ''
    let escaped = false
    for (;;) {
      const character = this.#peek()
      if (character === '\\' && this.#position + 1 < this.#end) {
        name += this.#template.charAt(this.#position + 1)
        this.#position += 2
        escaped = true
      } else if (character === '' || FIELD_ENDS.includes(character) || this.#stops.includes(character)) {
        return name === '*' && !escaped ? { kind: 'wildcard' } : { kind: 'field', name }
      } else {
        name += character
        this.#position += 1
      }
    }
  }

  #quoted(): PathStep {
    const result = readQuoted(this.#template, this.#position, this.#end)
    if ('fault' in result) throw this.#fault(result.fault, result.position)
    this.#position = result.end
    return { kind: 'text', text: result.text }
  }

  #number(): PathStep {
    const [text = ''] = /^[-+]?[\d.]*/.exec(this.#template.slice(this.#position, this.#end)) ?? []
    if (!/^[-+]?(?:\d+\.?\d*|\.\d+)$/.test(text)) throw this.#fault(`${text} is not a number`)
    this.#position += text.length
    return { kind: 'constant', value: Number(text) }
  }

  #word(): PathStep {
    const from = this.#position
    const step = this.#fieldName()
    const word = step.kind === 'field' ? step.name : '*'
    if (word === 'true' || word === 'false') return { kind: 'constant', value: word === 'true' }
    if (word === 'range' || word === 'end')
      throw this.#fault(`${word} must be the first word of its action`, from)
    throw this.#fault(`"${visible(word)}" is not a keyword; a field begins with a dot`, from)
  }

  /** `[0]`, `[1:3]`, `[*]`, `['a','b']`. */
  #brackets(steps: PathStep[]): void {
    const open = this.#position
    this.#position += 1
    const branches: Path[] = []
    for (;;) {
      branches.push(this.#bracketElement(open))
      const separator = this.#peek()
      this.#position += 1
      if (separator === ']') break
    }
    const [only] = branches
    if (only && branches.length === 1) steps.push(...only)
    else steps.push({ kind: 'union', branches })
  }

  #bracketElement(open: number): Path {
    this.#skipBlanks()
    if (this.#peek() === "'") {
      const key = this.#key(open)
      this.#skipBlanks()
      if (!/[,\]]/.test(this.#peek())) throw this.#fault('a , or ] is expected after a key')
      return key
    }
    const from = this.#position
    while (!/[,\]]/.test(this.#peek())) {
      if (this.#peek() === '') throw this.#fault('the [ is not closed', open)
      this.#position += 1
    }
    return [this.#indexOrSlice(this.#template.slice(from, this.#position).trim(), from)]
  }

  /** A key in single quotes is a path of its own: `['metadata.name']` means `.metadata.name`. */
  #key(open: number): Path {
    const from = this.#position + 1
    const to = this.#template.slice(0, this.#end).indexOf("'", from)
    if (to < 0) throw this.#fault('the [ is not closed', open)
    const [end, stops] = [this.#end, this.#stops]
    this.#position = from
    this.#end = to
    this.#stops = ''
    const path = [this.#fieldName(), ...this.#path('')]
    this.#position = to + 1
    this.#end = end
    this.#stops = stops
    return path
  }

  #indexOrSlice(text: string, from: number): PathStep {
    if (text === '*') return { kind: 'slice', start: 0, end: undefined, step: 1 }
    const parts = text.split(':')
    if (parts.length > 3 || !parts.every((part) => /^(?:-?\d+)?$/.test(part))) {
      const reason = text.startsWith('"')
        ? 'keys stand in single quotes'
        : 'an index is a whole number, a slice a:b:c'
      throw this.#fault(`[${visible(text)}] is no index: ${reason}`, from)
    }
    const [start = '', end = '', step = ''] = parts
    // kubectl reads empty brackets as the first element.
    if (parts.length === 1) return { kind: 'index', index: Number(start) }
    if (step !== '' && Number(step) < 1) throw this.#fault('the step of a slice is at least 1', from)
    return {
      kind: 'slice',
      start: Number(start),
      end: end === '' ? undefined : Number(end),
      step: step === '' ? 1 : Number(step),
    }
  }

  /** `[?(@.a)]` and `[?(@.a=="b")]`. */
  #filter(): PathStep {
    this.#position += '[?('.length
    const stops = this.#stops
    this.#stops = `${OPERATOR_SIGNS})`
    const left = this.#path(this.#stops)
    const signs = /^[!<>=]+/.exec(this.#template.slice(this.#position, this.#end))?.[0]
    const operator = OPERATORS.find((known) => known === signs)
    if (signs !== undefined && operator === undefined) throw this.#fault(`${signs} is not a comparison`)
    this.#position += signs?.length ?? 0
    this.#stops = ')'
    const right = operator && this.#path(')')
    this.#stops = stops
    if (!this.#template.startsWith(')]', this.#position))
      throw this.#fault('the filter is not closed with )]')
    this.#position += ')]'.length
    return operator && right ? { kind: 'compare', left, operator, right } : { kind: 'exists', operand: left }
  }

  #skipBlanks(): void {
    while (this.#peek() === ' ') this.#position += 1
  }

  /** The next character; empty at the end. */
  #peek(): string {
    return this.#position < this.#end ? this.#template.charAt(this.#position) : ''
  }

  #fault(reason: string, position = this.#position): DeckError {
    const message = `the jsonpath ${visible(this.#template)} is wrong at character ${position + 1}: ${reason}`
    return new DeckError('USAGE', message, {
      hint: 'The syntax is that of kubectl: https://kubernetes.io/docs/reference/kubectl/jsonpath/',
    })
  }
}
