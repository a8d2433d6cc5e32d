import type { Finding } from './finding.ts'

const HEADS = ['what', 'ours', 'rival', "rival's", 'ratio', 'of least', 'bar', 'verdict']

/** The findings as one Markdown table. */
export function report(findings: readonly Finding[], judged: boolean): string {
  const rows = findings.map(({ what, ours, rival, ratio, bar }) => [
    what,
    ours,
    rival?.name ?? '',
    rival?.result ?? '',
    ratio?.median.toFixed(2) ?? '',
    ratio?.min?.toFixed(2) ?? '',
    bar?.text ?? '',
    bar ? verdict(bar.met, judged) : '',
  ])
  const widths = HEADS.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(HEADS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

function verdict(met: boolean, judged: boolean): string {
  if (!judged) return met ? '(met)' : '(missed)'
  return met ? 'met' : 'MISSED'
}
