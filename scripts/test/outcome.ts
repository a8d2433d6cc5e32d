/** One test that did not pass, with what there is to say about it. */
export interface Finding {
  readonly title: string
  readonly text: string
}

/** What one part of the run came to. */
export interface Outcome {
  readonly part: string
  readonly passed: number
  readonly failed: readonly Finding[]
  /** `text` is the reason; empty where none was given. */
  readonly skipped: readonly Finding[]
  /** Failed, and passed when their file ran again: `text` tells of the failure. */
  readonly flaky: readonly Finding[]
  readonly ms: number
}

/** What a CI service shows of a run is its last lines: so many characters tell why tests failed, before the table. */
const TOLD_CHARACTERS = 8000
const TOLD_LINES = 60
const TOLD_WIDTH = 200

/** Skips that nobody explained are a hole in the run from this share on. */
const MAX_UNEXPLAINED_SHARE = 0.02

/** The whole of each failure, cut where it is long; where there are many, each gets less. */
function toldInFull(failed: readonly (Finding & { readonly part: string })[]): string {
  const room = Math.floor(TOLD_CHARACTERS / Math.max(failed.length, 1))
  return failed
    .map(({ part, title, text }) => {
      const told = shortened(text, room)
      return `\n✖ ${part}: ${title}\n${told.replaceAll(/^(?=.)/gm, '    ')}\n`
    })
    .join('')
}

/** The beginning, which says what failed, and the end, which says where. */
function shortened(text: string, characters: number): string {
  const lines = text
    .split('\n')
    .map((line) => (line.length > TOLD_WIDTH ? `${line.slice(0, TOLD_WIDTH)}…` : line))
  const kept = (count: number): string => {
    if (lines.length <= count) return lines.join('\n')
    const end = Math.floor(count / 3)
    const left = lines.length - count
    return [...lines.slice(0, count - end), `… ${left} lines …`, ...lines.slice(lines.length - end)].join(
      '\n',
    )
  }
  let count = Math.min(lines.length, TOLD_LINES)
  while (count > 1 && kept(count).length > characters) count -= 1
  return kept(count)
}

/** What is printed at the end, and whether the run is good; the last line is the one that CI looks for. */
export function summarize(outcomes: readonly Outcome[]): { readonly text: string; readonly good: boolean } {
  const width = Math.max(...outcomes.map(({ part }) => part.length), 'part'.length)
  const row = (...[part = '', ...cells]: readonly string[]) =>
    `${part.padEnd(width)}${cells.map((cell) => cell.padStart(9)).join('')}\n`
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0)
  const found = (kind: 'failed' | 'skipped' | 'flaky') =>
    outcomes.flatMap((outcome) => outcome[kind].map((finding) => ({ ...finding, part: outcome.part })))
  const [failed, skipped, flaky] = [found('failed'), found('skipped'), found('flaky')]
  const unexplained = skipped.filter(({ text }) => text === '').length
  const total = passed + failed.length + skipped.length
  const tooManyUnexplained = unexplained > 0 && unexplained >= total * MAX_UNEXPLAINED_SHARE

  let text = toldInFull([...failed, ...flaky])
  text += `\n${row('part', 'passed', 'failed', 'skipped', 'time')}`
  for (const outcome of outcomes) {
    const counts = [outcome.passed, outcome.failed.length, outcome.skipped.length].map(String)
    text += row(outcome.part, ...counts, `${(outcome.ms / 1000).toFixed(1)} s`)
  }
  for (const { part, title, text: reason } of skipped) {
    text += `\nskipped  ${part}: ${title}: ${reason || 'no reason given'}`
  }
  for (const { part, title } of flaky) {
    text += `\nflaky    ${part}: ${title}: failed first, passed when its file ran again`
  }
  for (const { part, title } of failed) text += `\nfailed   ${part}: ${title}`
  if (tooManyUnexplained)
    text += `\n${unexplained} tests were skipped without a reason: the run does not count as good`
  text += `\n\n${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`
  return { text, good: failed.length === 0 && passed > 0 && !tooManyUnexplained }
}
