import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { type Account, addUp, filesToRunAgain, readAccount, withSecondRun } from './test/account.ts'
import { summarize, type Outcome } from './test/outcome.ts'
import { chooseParts, lanes, type Part, type SuitePart } from './test/parts.ts'
import { splitFiles } from './test/split-files.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const CLUSTER_TEARDOWN = 'test/kit/kubernetes/global-teardown.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(names: readonly string[]): Promise<number> {
  let parts
  try {
    parts = chooseParts(names)
  } catch (error) {
    console.error(`error: ${(error as Error).message}`)
    return 2
  }
  // The tests clean up first, and only then is there something to sum up. A terminal sends them Ctrl-C itself; what is
  // sent to this process alone, as when CI cancels a run, is passed on.
  let interrupted: number | undefined
  const running = new Set<ChildProcess>()
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGHUP', 1],
    ['SIGTERM', 15],
  ] as const) {
    process.on(signal, () => {
      interrupted ??= 128 + number
      if (signal !== 'SIGINT') for (const child of running) child.kill(signal)
    })
  }
  const checks = parts.filter((part) => part.kind === 'check')
  const outcomes: Outcome[] = await Promise.all(checks.map((part) => runCheck(part, running)))
  const suites: SuiteRun[] = []
  const runInTurn = async (list: readonly SuitePart[]): Promise<void> => {
    for (const part of list) if (interrupted === undefined) suites.push(await runSuite(part, running))
  }
  for (const lane of lanes(parts)) await Promise.all(lane.map(runInTurn))
  // Of all parts together: where much fails, nothing is an accident.
  const real = suites.filter(({ part }) => part.usesClusters)
  const again = filesToRunAgain(real.flatMap(({ accounts }) => accounts))
  for (const suite of suites)
    outcomes.push(await toldOf(suite, interrupted === undefined ? again : [], running))
  const order = parts.map(({ name }) => name)
  outcomes.sort((one, other) => order.indexOf(one.part) - order.indexOf(other.part))
  const { text, good } = summarize(outcomes)
  process.stdout.write(text)
  return interrupted ?? (good ? 0 : 1)
}

async function runCheck(
  { name, command }: Extract<Part, { kind: 'check' }>,
  running: Set<ChildProcess>,
): Promise<Outcome> {
  const started = performance.now()
  let output = ''
  let status = '0'
  for (const [program = '', ...args] of command) {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk))
    status = await ended(child, running)
    if (status !== '0') break
  }
  const ms = performance.now() - started
  console.log(`${name}: ${status === '0' ? 'fine' : `failed (${status})\n${output}`}`)
  return {
    part: name,
    passed: status === '0' ? 1 : 0,
    failed: status === '0' ? [] : [{ title: name, text: output }],
    skipped: [],
    flaky: [],
    ms,
  }
}

interface SuiteRun {
  readonly part: SuitePart
  readonly accounts: readonly Account[]
  readonly ms: number
}

async function runSuite(part: SuitePart, running: Set<ChildProcess>): Promise<SuiteRun> {
  const files = globSync(`test/${part.name}/**/*.test.ts`, { cwd: root })
    .toSorted()
    .map((file) => join(root, file))
  console.log(`\n${part.name}: ${files.length} files`)
  if (files.length === 0) {
    const finding = { title: part.name, text: `there is no test in test/${part.name}` }
    return { part, accounts: [{ lines: [{ type: 'failed', file: '', finding }], status: '1' }], ms: 0 }
  }
  const started = performance.now()
  const accounts = await Promise.all(
    splitFiles(files, part.processes).map((list) => runMocha(part, list, running)),
  )
  return { part, accounts, ms: performance.now() - started }
}

/**
 * What a part came to. Tests of real processes that failed beside others get a second run, with nothing beside them, as
 * a defect fails twice; what then passes is told as flaky, with its first failure.
 */
async function toldOf(
  { part, accounts, ms }: SuiteRun,
  again: readonly string[],
  running: Set<ChildProcess>,
): Promise<Outcome> {
  const files = again.filter((file) => file.startsWith(join(root, 'test', part.name, sep)))
  if (files.length === 0) return { part: part.name, ...addUp(accounts), flaky: [], ms }
  console.log(`\n${part.name}, once more: ${files.length} of its files`)
  const started = performance.now()
  const second = await runMocha(part, files, running)
  const { accounts: final, flaky } = withSecondRun(accounts, files, second)
  return { part: part.name, ...addUp(final), flaky, ms: ms + performance.now() - started }
}

/** One process with some of a suite's files; files of one process share what is shared. */
async function runMocha(
  part: SuitePart,
  files: readonly string[],
  running: Set<ChildProcess>,
): Promise<Account> {
  const folder = await mkdtemp(join(tmpdir(), 'deckwatch-test-'))
  const report = join(folder, 'report')
  try {
    const teardown =
      part.usesClusters && existsSync(join(root, CLUSTER_TEARDOWN))
        ? ['--require', `./${CLUSTER_TEARDOWN}`]
        : []
    const reporter = ['--reporter', 'scripts/test/reporter.ts', '--reporter-option', `report=${report}`]
    const child = spawn('mocha', [...reporter, ...teardown, ...files], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const status = await ended(child, running)
    return readAccount(await readFile(report, 'utf8').catch(() => ''), status)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The exit code or signal with which a process ended, or why it could not be started. */
function ended(child: ChildProcess, running: Set<ChildProcess>): Promise<string> {
  running.add(child)
  return new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(String(code ?? signal)))
  }).finally(() => running.delete(child))
}
