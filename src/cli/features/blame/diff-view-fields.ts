import { diffLineLists } from '../../../core/lib/text-diff.ts'
import { formatPath, parsePath, shortPath, type PathStep } from '../../../core/model/field-path.ts'
import type { FieldChange, LineHunk } from '../../../core/wire/change.ts'
import type { DiffHunk, DiffLine } from './diff-view-hunk.ts'
import { maskedLines } from './diff-view-masks.ts'
import { unifiedLines } from './diff-view-unified.ts'
import { yamlLines } from './diff-view-yaml.ts'

/** Field changes as hunks of YAML, one for each place; what was redacted is `***`. */
export function fieldHunks(changes: readonly FieldChange[]): DiffHunk[] {
  const hunks: { readonly heading: string; readonly lines: DiffLine[] }[] = []
  for (const { heading, lines } of changes.flatMap(hunksOf)) {
    const last = hunks.at(-1)
    if (last && last.heading === heading) last.lines.push(...maskedLines(lines))
    else hunks.push({ heading, lines: [...maskedLines(lines)] })
  }
  return hunks
}

function hunksOf(change: FieldChange): DiffHunk[] {
  const { path, lines, index, from, to, op } = change
  if (lines)
    return lines.map((hunk) => ({ heading: `${shortPath(path)} line ${hunk.line}`, lines: textLines(hunk) }))
  const steps = parsePath(path)
  const heading = shortPath(formatPath(steps.slice(0, -1)))
  const moves = op === 'replace' && index?.from !== undefined && index.to !== undefined
  if (moves && from === undefined && to === undefined) {
    const text = '# moved within its list'
    return [{ heading: shortPath(path), lines: [{ mark: ' ', text }] }]
  }
  const before = op === 'add' ? [] : fragment(steps.at(-1), from)
  const after = op === 'remove' ? [] : fragment(steps.at(-1), to)
  return unifiedLines(before, diffLineLists(before, after)).map((part) => ({
    heading,
    lines: part.lines,
  }))
}

/** A value with its key, or as an entry of its list, as lines of YAML. */
function fragment(step: PathStep | undefined, value: unknown): string[] {
  if (!step) return yamlLines(value).map(({ text }) => text)
  if ('key' in step) return yamlLines({ [step.key]: value }).map(({ text }) => text)
  return yamlLines({ list: [value] })
    .slice(1)
    .map(({ text }) => text)
}

function textLines({ from, to }: LineHunk): DiffLine[] {
  return [
    ...from.map((text) => ({ mark: '-' as const, text })),
    ...to.map((text) => ({ mark: '+' as const, text })),
  ]
}
