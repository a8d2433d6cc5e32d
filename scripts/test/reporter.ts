import { appendFileSync } from 'node:fs'
import process from 'node:process'
import type { ReportLine } from './account.ts'

/** How long open handles may keep the process alive after its last test, teardown included, in milliseconds. */
const LINGER_MS = 60_000
const SLOW_MS = 1_000

interface Tally {
  passed: number
  failed: number
  skipped: number
}

/** Prints a line per group of tests and whatever is slow, skipped or broken; keeps account in the file `reporterOption.report`. */
export default class SuiteReporter {
  readonly #report: string
  readonly #tallies = new Map<Mocha.Suite | undefined, Tally>()

  constructor(runner: Mocha.Runner, options: { readonly reporterOption: { readonly report: string } }) {
    this.#report = options.reporterOption.report
    runner.on('pass', (test) => this.#pass(test))
    runner.on('pending', (test) => this.#skip(test))
    runner.on('fail', (test, error: unknown) => this.#fail(test, error))
    runner.on('suite end', (suite) => this.#endGroup(suite))
    // mocha itself would die at once and leave behind whatever the tests have started.
    process.once('SIGINT', () => {
      print('  interrupted: ending the running test and cleaning up; Ctrl-C again ends at once')
      runner.abort()
    })
    runner.on('end', () => {
      this.#record({ type: 'end' })
      setTimeout(() => this.#stopLingering(), LINGER_MS).unref()
    })
  }

  #pass(test: Mocha.Test): void {
    this.#tally(test).passed++
    const ms = test.duration ?? 0
    if (ms >= SLOW_MS) print(`  ✔ ${titleOf(test)} (${(ms / 1000).toFixed(1)} s)`)
    this.#record({ type: 'passed', file: fileOf(test) })
  }

  #skip(test: Mocha.Test): void {
    const text = skipReason(test)
    this.#tally(test).skipped++
    print(`  - ${titleOf(test)}: skipped: ${text || 'no reason given'}`)
    this.#record({ type: 'skipped', file: fileOf(test), finding: { title: titleOf(test), text } })
  }

  #fail(test: Mocha.Runnable, error: unknown): void {
    const text = describeFailure(error)
    this.#tally(test).failed++
    print(`  ✖ ${titleOf(test)}\n${text.replaceAll(/^(?=.)/gm, '      ')}`)
    this.#record({ type: 'failed', file: fileOf(test), finding: { title: titleOf(test), text } })
  }

  #endGroup(suite: Mocha.Suite): void {
    const tally = this.#tallies.get(suite)
    if (!tally) return
    const counts = Object.entries(tally).filter(([kind, count]) => count > 0 || kind === 'passed')
    print(`  ${suite.title || '(no group)'}: ${counts.map(([kind, count]) => `${count} ${kind}`).join(', ')}`)
  }

  #stopLingering(): void {
    const text = `${LINGER_MS / 1000} s after its last test it still holds ${process.getActiveResourcesInfo().join(', ')}`
    print(`  ✖ the test process does not end by itself: ${text}`)
    this.#record({ type: 'failed', file: '', finding: { title: 'the test process ends by itself', text } })
    // Nothing else can end it: that is what has failed.
    process.kill(process.pid, 'SIGKILL')
  }

  #tally(test: Mocha.Runnable): Tally {
    let group = test.parent
    while (group?.parent && !group.parent.root) group = group.parent
    const tally = this.#tallies.get(group) ?? { passed: 0, failed: 0, skipped: 0 }
    this.#tallies.set(group, tally)
    return tally
  }

  #record(line: ReportLine): void {
    appendFileSync(this.#report, `${JSON.stringify(line)}\n`)
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function titleOf(test: Mocha.Runnable): string {
  return test.titlePath().join(' › ')
}

/** Of a hook the one of the tests around it. */
function fileOf(test: Mocha.Runnable): string {
  let at: Mocha.Runnable | Mocha.Suite | undefined = test
  while (at && at.file === undefined) at = at.parent
  return at?.file ?? ''
}

/** The reason that test/kit/skip.ts left on the test or a group around it, or that the title gives after `skipped:`. */
function skipReason(test: Mocha.Test): string {
  let at: Mocha.Test | Mocha.Suite | undefined = test
  while (at) {
    if ('skipReason' in at && typeof at.skipReason === 'string') return at.skipReason
    at = at.parent
  }
  return /\bskipped: ([^)]+)/.exec(test.fullTitle())?.[1] ?? ''
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const stack = (error.stack ?? error.message)
    .split('\n')
    .filter((line) => !/^\s+at .*(?:node_modules\/mocha|node:internal)/.test(line))
    .join('\n')
  return error.cause === undefined ? stack : `${stack}\ncaused by ${describeFailure(error.cause)}`
}
