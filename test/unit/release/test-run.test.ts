import assert from 'node:assert/strict'
import {
  type Account,
  addUp,
  filesToRunAgain,
  readAccount,
  type ReportLine,
  withSecondRun,
} from '../../../scripts/test/account.ts'
import { summarize, type Outcome } from '../../../scripts/test/outcome.ts'
import { chooseParts, lanes } from '../../../scripts/test/parts.ts'
import { splitFiles } from '../../../scripts/test/split-files.ts'

const passes = (file: string): ReportLine => ({ type: 'passed', file })
const fails = (file: string, title: string, text = ''): ReportLine => ({
  type: 'failed',
  file,
  finding: { title, text },
})
const END: ReportLine = { type: 'end' }
const account = (status: string, ...lines: readonly ReportLine[]): Account => ({ lines, status })
const outcome = (counts: Partial<Outcome>): Outcome => ({
  part: 'unit',
  passed: 0,
  failed: [],
  skipped: [],
  flaky: [],
  ms: 1500,
  ...counts,
})

describe('the order of the parts', () => {
  const names = (...parts: readonly string[]): string[][][] =>
    lanes(chooseParts(parts)).map((lane) => lane.map((list) => list.map(({ name }) => name)))

  it('lets what mostly waits run beside what stands before it', () => {
    assert.deepEqual(names(), [[['architecture', 'unit', 'contract', 'cli'], ['node']], [['cluster']]])
  })

  it('runs what was asked for, and nothing else', () => {
    assert.deepEqual(names('unit', 'cli'), [[['unit', 'cli']]])
    assert.deepEqual(names('node'), [[['node']], []])
    assert.deepEqual(names('lint'), [])
  })
})

describe('the files of a part that several processes share', () => {
  const files = ['demo', 'a', 'audit-faults', 'b', 'kit', 'c'].map((name) => `test/cluster/${name}.test.ts`)

  it('are laid into as many lists, each file once and in order, which take about the same time', () => {
    const lists = splitFiles(files, 2)
    assert.deepEqual(lists.flat().toSorted(), files.toSorted())
    assert.deepEqual(lists, [
      ['a', 'audit-faults', 'b', 'c'].map((name) => `test/cluster/${name}.test.ts`),
      ['demo', 'kit'].map((name) => `test/cluster/${name}.test.ts`),
    ])
  })

  it('stay together for one process, and make no empty list', () => {
    assert.deepEqual(splitFiles(files, 1), [files])
    assert.deepEqual(splitFiles(['test/cluster/a.test.ts'], 2), [['test/cluster/a.test.ts']])
  })
})

describe('the account of a test process', () => {
  it('adds up what passed, failed and was skipped', () => {
    const skipped = { type: 'skipped', file: 'b', finding: { title: 'b', text: 'needs root' } } as const
    const lines = [passes('a'), fails('a', 'a', 'boom'), skipped, END]
    const report = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    assert.deepEqual(addUp([readAccount(report, '1')]), {
      passed: 1,
      failed: [{ title: 'a', text: 'boom' }],
      skipped: [{ title: 'b', text: 'needs root' }],
    })
  })

  it('counts a process that ended early as a failure and keeps what was counted before', () => {
    const counted = addUp([account('SIGSEGV', passes('a')), account('0', passes('b'), END)])
    assert.equal(counted.passed, 2)
    assert.deepEqual(counted.failed, [{ title: 'the test process ended early (SIGSEGV)', text: '' }])
  })

  it('counts a bad exit after a good last test as a failure', () => {
    assert.equal(addUp([account('7', passes('a'), END)]).failed.length, 1)
  })

  it('does not count the exit code of a failed test twice', () => {
    assert.equal(addUp([account('1', fails('a', 'a'), END)]).failed.length, 1)
  })
})

describe('a second run', () => {
  const first = [
    account('1', passes('a'), fails('a', 'one', 'boom'), passes('b'), END),
    account('0', passes('c'), END),
  ]

  it('is of the files whose single tests failed', () => {
    assert.deepEqual(filesToRunAgain(first), ['a'])
    assert.deepEqual(filesToRunAgain([account('0', passes('a'), END)]), [])
  })

  it('is not where much failed, a process ended early, or what failed is of no file', () => {
    const many = ['1', '2', '3', '4'].map((title) => fails('a', title))
    assert.deepEqual(filesToRunAgain([account('1', ...many.slice(1), END)]), ['a'])
    assert.deepEqual(filesToRunAgain([account('1', ...many, END)]), [])
    assert.deepEqual(filesToRunAgain([...first, account('SIGSEGV', passes('d'))]), [])
    assert.deepEqual(filesToRunAgain([...first, account('1', fails('', 'it ends'), END)]), [])
  })

  it('counts in place of the first, and tells what passed at last as flaky, with why it failed', () => {
    const { accounts, flaky } = withSecondRun(first, ['a'], account('0', passes('a'), passes('a'), END))
    assert.deepEqual(addUp(accounts), { passed: 4, failed: [], skipped: [] })
    assert.deepEqual(flaky, [{ title: 'one', text: 'boom' }])
  })

  it('leaves a failure that comes again, and counts one that comes new', () => {
    const second = account('1', fails('a', 'one', 'again'), fails('a', 'two'), END)
    const { accounts, flaky } = withSecondRun(first, ['a'], second)
    assert.deepEqual(
      addUp(accounts).failed.map(({ title, text }) => [title, text]),
      [
        ['one', 'again'],
        ['two', ''],
      ],
    )
    assert.deepEqual(flaky, [])
  })

  it('makes nothing good by ending early', () => {
    const { accounts, flaky } = withSecondRun(first, ['a'], account('SIGKILL', passes('a')))
    assert.equal(addUp(accounts).failed.length, 1)
    assert.deepEqual(flaky, [])
  })
})

describe('the summary of a run', () => {
  it('ends with the three counts alone on a line', () => {
    const { text, good } = summarize([outcome({ passed: 3 }), outcome({ part: 'node', passed: 1 })])
    assert.ok(good)
    assert.match(text, /\n4 passed, 0 failed, 0 skipped\n$/)
  })

  it('names every skip with its reason and every failure', () => {
    const { text, good } = summarize([
      outcome({
        passed: 9,
        failed: [{ title: 'a', text: '' }],
        skipped: [{ title: 'b', text: 'needs root' }],
      }),
    ])
    assert.ok(!good)
    assert.match(text, /^skipped {2}unit: b: needs root$/m)
    assert.match(text, /^failed {3}unit: a$/m)
    assert.match(text, /\n9 passed, 1 failed, 1 skipped\n$/)
  })

  it('names what is flaky, tells why it failed, and is good all the same', () => {
    const { text, good } = summarize([outcome({ passed: 9, flaky: [{ title: 'a', text: 'boom' }] })])
    assert.ok(good)
    assert.match(text, /^✖ unit: a\n {4}boom\n/m)
    assert.match(text, /^flaky {4}unit: a: failed first, passed when its file ran again$/m)
    assert.match(text, /\n9 passed, 0 failed, 0 skipped\n$/)
  })

  it('tells before the table why each test failed, from the beginning and the end of what there is to say', () => {
    const long = Array.from({ length: 500 }, (_, index) => `line ${index}`).join('\n')
    const failed = [
      { title: 'a', text: 'AssertionError: boom\n    at a.test.ts:1:2' },
      { title: 'b', text: long },
    ]
    const { text } = summarize([outcome({ passed: 1, failed })])
    const [told = '', table = ''] = text.split('\npart ')
    assert.match(told, /^✖ unit: a\n {4}AssertionError: boom\n {8}at a\.test\.ts:1:2$/m)
    assert.match(told, /^✖ unit: b\n {4}line 0\n[^]*^ {4}… 440 lines …\n[^]*^ {4}line 499$/m)
    assert.doesNotMatch(table, /boom/)
  })

  it('tells less of each failure where there are many, and is never long', () => {
    const text = Array.from({ length: 500 }, (_, index) => `line ${index} ${'x'.repeat(1000)}`).join('\n')
    const failed = Array.from({ length: 10 }, (_, index) => ({ title: `a${index}`, text }))
    const summary = summarize([outcome({ failed })]).text
    assert.ok(summary.length < 12_000, `${summary.length} characters`)
    for (const { title } of failed) assert.match(summary, new RegExp(`^✖ unit: ${title}\\n {4}line 0 `, 'm'))
  })

  it('is bad from two unexplained skips in a hundred tests on, whatever the explained ones', () => {
    const skips = (count: number, text: string) => Array.from({ length: count }, () => ({ title: 'b', text }))
    assert.ok(summarize([outcome({ passed: 50, skipped: skips(50, 'needs root') })]).good)
    assert.ok(summarize([outcome({ passed: 99, skipped: skips(1, '') })]).good)
    assert.ok(!summarize([outcome({ passed: 98, skipped: skips(2, '') })]).good)
  })

  it('is bad where nothing ran', () => {
    assert.ok(!summarize([outcome({})]).good)
  })
})

describe('the parts of a run', () => {
  const names = (...asked: readonly string[]) => chooseParts(asked).map(({ name }) => name)

  it('are all but the soak, in the order of the test ladder', () => {
    assert.deepEqual(names().slice(-6), ['architecture', 'unit', 'contract', 'cli', 'node', 'cluster'])
    assert.ok(!names().includes('soak'))
  })

  it('bring the build where they need it', () => {
    assert.deepEqual(names('unit'), ['unit'])
    assert.deepEqual(names('cli', 'unit'), ['build', 'unit', 'cli'])
  })

  it('are refused by a name that none has', () => {
    assert.throws(() => names('unti'), /no such part: unti \(there are lint, /)
  })
})
