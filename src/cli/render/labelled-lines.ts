import { displayWidth, visible } from '../../core/lib/text.ts'
import { plainPalette, type Palette, type Style } from './palette.ts'

/** A statement with what it is about. */
export interface LabelledLine {
  readonly label: string
  readonly text: string
  /** Of the label. */
  readonly style?: Style
  /** Stands before the label, in a column of its own. */
  readonly mark?: string
  /** Begins a line of its own below the text. */
  readonly addition?: string
}

const SCREEN_COLUMNS = 100

/**
 * Labels in one column and texts beside them, wrapped between words at 100 columns under their own beginning; made
 * visible, with a line feed at the end of each.
 */
export function renderLabelledLines(
  lines: readonly LabelledLine[],
  palette: Palette = plainPalette,
): readonly string[] {
  const marks = Math.max(0, ...lines.map(({ mark = '' }) => displayWidth(mark)))
  const labels = Math.min(20, Math.max(0, ...lines.map(({ label }) => displayWidth(visible(label)))))
  const indent = marks + (marks > 0 ? 1 : 0) + labels + 2
  return lines.flatMap(({ label, text, style, mark = '', addition }) => {
    const shown = visible(label)
    const lead = marks > 0 ? `${mark.padEnd(marks)} ` : ''
    const texts = [
      ...wrap(visible(text), SCREEN_COLUMNS - indent),
      ...(addition === undefined ? [] : [visible(addition)]),
    ]
    const head = lead + (style ? palette[style](shown) : shown)
    const width = displayWidth(lead + shown)
    // A label longer than the column has its text below it.
    const beside = width + 2 <= indent
    const first = beside ? `${head}${' '.repeat(indent - width)}${texts.shift() ?? ''}` : head
    return [first.trimEnd(), ...texts.map((rest) => ' '.repeat(indent) + rest)].map((line) => `${line}\n`)
  })
}

/** Lines of at most `width` cells, broken at blanks; a longer word stands alone and is not cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  // What begins with a dash goes on under its first word.
  const hang = text.startsWith('- ') ? '  ' : ''
  let line = ''
  // Wider gaps belong to the text.
  for (const word of text.split(/ (?! )/)) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line.trimEnd())
      line = hang + word.trimStart()
    } else line = longer
  }
  lines.push(line)
  return lines
}
