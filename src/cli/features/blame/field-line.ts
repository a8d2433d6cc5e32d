import { plural } from '../../../core/lib/text.ts'
import { parsePath, shortPath, type PathStep } from '../../../core/model/field-path.ts'
import type { FieldChange, LineHunk } from '../../../core/wire/change.ts'
import { isDefaulted } from './field-interest.ts'
import { valueText, withoutMarks } from './values.ts'

/** One line of what a change did: a field with its values, or a sentence. */
export interface ChangeLine {
  /** The field, short; empty in a sentence. */
  readonly label: string
  /** Before the values; of a sentence all of it. */
  readonly lead: string
  /** None, one, or the old and the new one. */
  readonly values: readonly string[]
  /** After the values. */
  readonly tail: string
  readonly style?: 'bad' | 'warn' | 'faint'
}

/** One field of a change with what it was and is; texts of several lines by the lines that changed. */
export function fieldLine(change: FieldChange): ChangeLine {
  const { path, op, from, to, lines, index } = change
  const label = labelOf(path)
  const line = (lead: string, values: readonly string[] = [], tail = ''): ChangeLine => ({
    label,
    lead,
    values,
    tail,
  })
  if (lines) return hunkLine(lines, line)
  switch (op) {
    case 'add':
      return whole(line, 'added', path, to)
    case 'remove':
      return whole(line, 'removed', path, from)
    case 'replace':
      if (from === undefined && to === undefined) {
        return index?.from !== undefined && index.to !== undefined
          ? line(`moved from place ${index.from + 1} to ${index.to + 1}`)
          : line('changed')
      }
      // Of a field whose old value nobody kept, as managedFields tell it.
      if (from === undefined) return line('= ', [valueText(to)])
      return pair(line, '', valueText(from), valueText(to))
  }
}

/** The short path, keys without their quotes where nothing is lost by it: `data[app.conf]`, which `--field` takes too. */
function labelOf(path: string): string {
  return shortPath(path).replace(/\["([^"\\[\]=,*]+)"\]/g, '[$1]')
}

/** A thing that came or went, without what its path says of it already. */
function whole(line: MakeLine, word: 'added' | 'removed', path: string, value: unknown): ChangeLine {
  const rest = unsaid(path, value)
  if (rest === undefined) return line(word)
  return line(word === 'added' ? 'added: ' : 'removed, was: ', [valueText(rest)])
}

/** An entry without the keys by which the path names it and without defaults, a lone `value` by itself; undefined where nothing is left. */
function unsaid(path: string, value: unknown): unknown {
  const last = lastStep(path)
  if (last === undefined || 'key' in last || 'index' in last) return value
  if ('value' in last) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { entry } = last
  const rest = Object.entries(value).filter(
    ([key, member]) =>
      (!Object.hasOwn(entry, key) || entry[key] !== member) &&
      !isDefaulted({ path: key, op: 'add', to: member }),
  )
  const [only] = rest
  if (only === undefined) return undefined
  return rest.length === 1 && only[0] === 'value' ? only[1] : Object.fromEntries(rest)
}

function lastStep(path: string): PathStep | undefined {
  try {
    return parsePath(path).at(-1)
  } catch {
    return undefined
  }
}

type MakeLine = (lead: string, values?: readonly string[], tail?: string) => ChangeLine

/** An old and a new value; what was taken out of both looks alike, and is not. */
function pair(line: MakeLine, lead: string, from: string, to: string): ChangeLine {
  return line(lead, [from, to], from === to ? ' (changed)' : '')
}

function hunkLine(hunks: readonly LineHunk[], line: MakeLine): ChangeLine {
  const [first] = hunks
  if (first === undefined) return line('changed')
  const [from, to] = [first.from[0], first.to[0]]
  if (hunks.length === 1 && first.from.length === 1 && first.to.length === 1 && from !== undefined) {
    return pair(line, `line ${first.line}: `, withoutMarks(from.trim()), withoutMarks((to ?? '').trim()))
  }
  const added = sum(hunks.map((hunk) => hunk.to.length))
  const removed = sum(hunks.map((hunk) => hunk.from.length))
  const counted =
    removed === 0
      ? `${plural(added, 'line')} added`
      : added === 0
        ? `${plural(removed, 'line')} removed`
        : `${plural(Math.max(added, removed), 'line')} changed`
  return line(
    hunks.length === 1
      ? `${counted} at line ${first.line}`
      : `${counted} in ${plural(hunks.length, 'place')}, first at line ${first.line}`,
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
