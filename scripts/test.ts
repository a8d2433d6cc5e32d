import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { readReport, summarize, type Outcome } from './test/outcome.ts'
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
  const runInTurn = async (suites: readonly SuitePart[]): Promise<void> => {
    for (const part of suites) if (interrupted === undefined) outcomes.push(await runSuite(part, running))
  }
  for (const lane of lanes(parts)) await Promise.all(lane.map(runInTurn))
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
    ms,
  }
}

async function runSuite(part: SuitePart, running: Set<ChildProcess>): Promise<Outcome> {
  const files = globSync(`test/${part.name}/**/*.test.ts`, { cwd: root }).toSorted()
  console.log(`\n${part.name}: ${files.length} files`)
  if (files.length === 0) {
    const failed = [{ title: part.name, text: `there is no test in test/${part.name}` }]
    return { part: part.name, passed: 0, failed, skipped: [], ms: 0 }
  }
  const started = performance.now()
  const counts = await Promise.all(
    splitFiles(files, part.processes).map((list) => runMocha(part, list, running)),
  )
  return {
    part: part.name,
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.flatMap(({ failed }) => failed),
    skipped: counts.flatMap(({ skipped }) => skipped),
    ms: performance.now() - started,
  }
}

/** One process with some of a suite's files; files of one process share what is shared. */
async function runMocha(
  part: SuitePart,
  files: readonly string[],
  running: Set<ChildProcess>,
): Promise<Omit<Outcome, 'part' | 'ms'>> {
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
    return readReport(await readFile(report, 'utf8').catch(() => ''), status)
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
