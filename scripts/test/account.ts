import type { Finding, Outcome } from './outcome.ts'

/** One line of the file in which a mocha process keeps account, so that a crash loses nothing that was counted. */
export type ReportLine =
  | { readonly type: 'end' }
  | { readonly type: 'passed'; readonly file: string }
  | {
      readonly type: 'failed' | 'skipped'
      /** Empty where it is of none. */
      readonly file: string
      readonly finding: Finding
    }

/** What a mocha process told of its tests, and how it ended. */
export interface Account {
  readonly lines: readonly ReportLine[]
  /** Its exit code or signal. */
  readonly status: string
}

/** Reads the file in which a process kept account; empty where there is none. */
export function readAccount(report: string, status: string): Account {
  const lines = report.split('\n').filter((line) => line !== '')
  return { lines: lines.map((line) => JSON.parse(line) as ReportLine), status }
}

/** Adds up accounts; a process that was not brought to its end, or an exit code without a failure, counts as a failure. */
export function addUp(accounts: readonly Account[]): Pick<Outcome, 'passed' | 'failed' | 'skipped'> {
  const lines = accounts.flatMap((account) => account.lines)
  const crashes = accounts.filter(hasCrashed).map(({ status }) => ({
    title: `the test process ended early (${status})`,
    text: '',
  }))
  return {
    passed: lines.filter(({ type }) => type === 'passed').length,
    failed: [...findings(lines, 'failed'), ...crashes],
    skipped: findings(lines, 'skipped'),
  }
}

/** More failures than these are no accident of a busy machine. */
const MOST_FAILURES = 3

/**
 * The files that run once more, alone, since single tests of theirs failed beside others; none where much failed, or
 * where a process ended early.
 */
export function filesToRunAgain(accounts: readonly Account[]): readonly string[] {
  const failed = accounts.flatMap(({ lines }) => lines.filter(({ type }) => type === 'failed'))
  if (failed.length > MOST_FAILURES || accounts.some(hasCrashed)) return []
  const files = new Set(failed.flatMap((line) => ('file' in line ? [line.file] : [])))
  return files.has('') ? [] : [...files]
}

/** The accounts with what the second run of some files told in place of the first, and what is flaky by that. */
export function withSecondRun(
  accounts: readonly Account[],
  files: readonly string[],
  second: Account,
): { readonly accounts: readonly Account[]; readonly flaky: readonly Finding[] } {
  const isRepeated = (line: ReportLine): boolean => line.type !== 'end' && files.includes(line.file)
  const still = new Set(findings(second.lines, 'failed').map(({ title }) => title))
  const first = accounts.flatMap(({ lines }) => lines.filter(isRepeated))
  return {
    accounts: [
      // Its exit code told of failures that are looked at anew.
      ...accounts.map(({ lines }) => ({ lines: lines.filter((line) => !isRepeated(line)), status: '0' })),
      second,
    ],
    flaky: hasCrashed(second) ? [] : findings(first, 'failed').filter(({ title }) => !still.has(title)),
  }
}

function hasCrashed({ lines, status }: Account): boolean {
  const hasFailed = lines.some(({ type }) => type === 'failed')
  return !lines.some(({ type }) => type === 'end') || (status !== '0' && !hasFailed)
}

function findings(lines: readonly ReportLine[], type: 'failed' | 'skipped'): Finding[] {
  return lines.flatMap((line) => ('finding' in line && line.type === type ? [line.finding] : []))
}
