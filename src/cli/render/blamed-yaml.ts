import { ageOf } from '../../core/lib/age.ts'
import { visible } from '../../core/lib/text.ts'
import { rfc3339Seconds } from '../../core/lib/time.ts'
import { cellWidth } from './cell.ts'
import { gatherChunks, type Chunks } from './chunks.ts'
import { plainPalette, type Palette } from './palette.ts'

/** One who is named at a line. */
export interface YamlOwner {
  readonly type: 'person' | 'manager'
  readonly name: string
  readonly operation: string
  /** Empty for the object itself. */
  readonly subresource: string
  /** Epoch milliseconds; undefined where not known. */
  readonly time: number | undefined
  /** Somebody else may have made the change as well. */
  readonly ambiguous: boolean
}

/** A line of YAML that is safe for a terminal, and those who are named at it. */
export interface YamlLine {
  readonly text: string
  readonly owners: readonly YamlOwner[]
  /** Inside of a literal block, where a comment would be text. */
  readonly continued: boolean
}

/** Where names stand: in columns before the line; in comments above it; in comments at its end. */
export type BlameLayout = 'column' | 'above' | 'comment'

/** How names are written. */
export interface BlamedYamlOptions {
  readonly layout: BlameLayout
  /** Ages as kubectl writes them, RFC 3339 UTC, or none. */
  readonly time: 'relative' | 'full' | 'none'
  /** Epoch milliseconds. */
  readonly now: number
  readonly palette?: Palette
}

/** What has to be said once of names in parentheses, as one line. */
export const MANAGER_LEGEND =
  '(name) = field manager, as the client calls itself, no person; its time: last write to any field'

// Comments at the end of lines stand below each other, but not behind a line as long as an annotation.
const COMMENT_COLUMN = 60

/**
 * Objects as YAML with names, `---` between them. Without what `layout` adds, the text is the YAML: in `above` and
 * `comment` as it stands, in `column` without as many cells as the first columns take. There, further owners of one
 * line have rows of their own that begin with a plus sign.
 */
export function renderBlamedYaml(
  documents: Iterable<readonly YamlLine[]>,
  options: BlamedYamlOptions,
): Chunks {
  return gatherChunks(yamlText(documents, options))
}

function* yamlText(
  documents: Iterable<readonly YamlLine[]>,
  options: BlamedYamlOptions,
): Generator<string, void> {
  const { layout } = options
  const names = new OwnerNames(options)
  let first = true
  for (const lines of documents) {
    if (!first) yield '---\n'
    first = false
    switch (layout) {
      case 'column':
        yield* columnLines(lines, names)
        break
      case 'above':
        yield* aboveLines(lines, names)
        break
      case 'comment':
        yield* commentLines(lines, names)
    }
  }
}

function* columnLines(lines: readonly YamlLine[], names: OwnerNames): Generator<string> {
  const cells = new Map<YamlLine, readonly OwnerCells[]>()
  const widths = { who: 0, operation: 0, time: 0 }
  for (const line of lines) {
    const rows = line.owners.map((owner, i) => names.cells(owner, i > 0))
    cells.set(line, rows)
    for (const row of rows) {
      widths.who = Math.max(widths.who, cellWidth(row.who))
      widths.operation = Math.max(widths.operation, row.operation.length)
      widths.time = Math.max(widths.time, row.time.length)
    }
  }
  const total = [widths.who, widths.operation, widths.time].reduce(
    (sum, width) => sum + (width > 0 ? width + 2 : 0),
    0,
  )
  for (const line of lines) {
    const rows = cells.get(line) ?? []
    const [row, ...others] = rows
    const head = row ? columns(row, widths) : ' '.repeat(total)
    // Blanks at the end of a text's own line belong to it.
    yield line.text === '' ? `${head.trimEnd()}\n` : `${head}${line.text}\n`
    if (!line.continued) for (const other of others) yield `${columns(other, widths).trimEnd()}\n`
  }
}

function columns(row: OwnerCells, widths: Readonly<Record<'who' | 'operation' | 'time', number>>): string {
  const who = row.paint(row.who) + ' '.repeat(widths.who - cellWidth(row.who))
  const operation = widths.operation > 0 ? `${row.operation.padEnd(widths.operation)}  ` : ''
  const time = widths.time > 0 ? `${row.time.padStart(widths.time)}  ` : ''
  return `${who}  ${operation}${time}`
}

function* aboveLines(lines: readonly YamlLine[], names: OwnerNames): Generator<string> {
  for (const line of lines) {
    const comment = names.comment(line)
    if (comment !== '') yield `${/^ */.exec(line.text)?.[0] ?? ''}${comment}\n`
    yield `${line.text}\n`
  }
}

function* commentLines(lines: readonly YamlLine[], names: OwnerNames): Generator<string> {
  const widths = lines.map((line) => (line.continued ? 0 : cellWidth(line.text)))
  const column = Math.min(
    widths.reduce((max, width) => Math.max(max, width), 0),
    COMMENT_COLUMN,
  )
  for (const [i, line] of lines.entries()) {
    const comment = names.comment(line)
    const gap = ' '.repeat(Math.max(0, column - (widths[i] ?? 0)) + 2)
    yield comment === '' ? `${line.text}\n` : `${line.text}${gap}${comment}\n`
  }
}

/** The columns of one owner; `who` is safe for a terminal. */
interface OwnerCells {
  readonly who: string
  readonly operation: string
  readonly time: string
  readonly paint: (text: string) => string
}

/** How each owner is written; a name has one colour in all of an output. */
class OwnerNames {
  readonly #options: BlamedYamlOptions
  readonly #palette: Palette
  readonly #colors = new Map<string, (text: string) => string>()

  constructor(options: BlamedYamlOptions) {
    this.#options = options
    this.#palette = options.palette ?? plainPalette
  }

  cells(owner: YamlOwner, further: boolean): OwnerCells {
    const who = `${further ? '+ ' : ''}${this.#who(owner)}`
    return {
      who,
      operation: visible(owner.operation),
      time: this.#time(owner),
      paint: this.#paint(owner),
    }
  }

  comment({ owners, continued }: YamlLine): string {
    if (owners.length === 0 || continued) return ''
    const texts = owners.map((owner) => {
      const words = [this.#who(owner), visible(owner.operation), this.#time(owner)]
      return this.#paint(owner)(words.filter((word) => word !== '').join(' '))
    })
    return `# ${texts.join(', ')}`
  }

  #who({ type, name, subresource, ambiguous }: YamlOwner): string {
    const part = subresource === '' ? '' : ` /${subresource}`
    return visible(type === 'manager' ? `(${name}${part})` : `${name}${part}${ambiguous ? ' ?' : ''}`)
  }

  #time({ time }: YamlOwner): string {
    switch (this.#options.time) {
      case 'none':
        return ''
      case 'full':
        return time === undefined ? '-' : rfc3339Seconds(time)
      case 'relative':
        return time === undefined ? '-' : ageOf(time, this.#options.now)
    }
  }

  #paint({ type, name }: YamlOwner): (text: string) => string {
    const key = `${type} ${name}`
    const known = this.#colors.get(key)
    if (known) return known
    const { series } = this.#palette
    const color = series[this.#colors.size % series.length] ?? series[0]
    this.#colors.set(key, color)
    return color
  }
}
