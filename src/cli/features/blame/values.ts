import { REDACTED } from '../../../core/model/redact-object.ts'

/** A value, or a piece of a text, that was taken out before anything was recorded; the rest is a keyed hash. */
const MARK = new RegExp(`${REDACTED}[0-9a-f]{16}`, 'g')

/** Text that would be taken for null, a boolean or a number. */
const NOT_TEXT = /^(?:~|null|true|false|[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|0x[\da-f]+)$/i

/** What would end or begin something else inside of a flow collection. */
const NOT_IN_FLOW = /[,[\]{}]|: | #|:$|^[-?:#&*!|>'"%@`]/

/** A text with `***` in place of what was taken out. */
export function withoutMarks(text: string): string {
  return text.includes(REDACTED) ? text.replace(MARK, '***') : text
}

/**
 * A value on one line, in whole: text as it is, in quotes where it is empty or would be read as a number, a boolean or
 * null; objects and lists in YAML's flow style; what is redacted as `***`. Not yet safe for a terminal.
 */
export function valueText(value: unknown): string {
  return withoutMarks(typeof value === 'string' ? quoted(value, false) : flowText(value))
}

function flowText(value: unknown): string {
  if (typeof value === 'string') return quoted(value, true)
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${members.map(([key, member]) => `${flowText(key)}: ${flowText(member)}`).join(', ')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

function quoted(text: string, inFlow: boolean): string {
  const reads =
    text !== '' && text.trim() === text && !NOT_TEXT.test(text) && !(inFlow && NOT_IN_FLOW.test(text))
  return reads ? text : JSON.stringify(text)
}
