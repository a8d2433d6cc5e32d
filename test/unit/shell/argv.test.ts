import assert from 'node:assert/strict'
import { readArgv, type FlagShape } from '../../../src/cli/shell/argv.ts'

const shapes: Record<string, FlagShape> = {
  all: { type: 'boolean', char: 'A' },
  unique: { type: 'boolean', char: 'u' },
  namespace: { type: 'option', char: 'n' },
  output: { type: 'option', char: 'o' },
  group: { type: 'option', multiple: true },
}
const read = (...argv: string[]) => readArgv(argv, shapes)

describe('a command line', () => {
  const spellings: [argv: string[], flags: string[], words: string[]][] = [
    [['-n', 'kube', 'check'], ['--namespace', 'kube'], ['check']],
    [['-nkube', 'check'], ['--namespace', 'kube'], ['check']],
    [['-n=kube'], ['--namespace', 'kube'], []],
    [['--namespace=kube', 'x'], ['--namespace', 'kube'], ['x']],
    [['--namespace', 'kube', 'x'], ['--namespace', 'kube'], ['x']],
    [['-n', 'check'], ['--namespace', 'check'], []],
    [['-Au'], ['--all', '--unique'], []],
    [['-Aojson', 'x'], ['--all', '--output', 'json'], ['x']],
    [['-An', 'kube'], ['--all', '--namespace', 'kube'], []],
    [['--output', '-x'], ['--output', '-x'], []],
    [['--output=-x'], ['--output', '-x'], []],
    [['--output=a=b'], ['--output', 'a=b'], []],
    [['--namespace='], ['--namespace', ''], []],
    [['-'], [], ['-']],
  ]
  for (const [argv, flags, words] of spellings) {
    it(`reads ${argv.join(' ')} as kubectl does`, () => {
      assert.deepEqual(read(...argv), { flags, words, literalWords: 0 })
    })
  }

  it("takes the last value of a repeated flag, and every value of a list's", () => {
    assert.deepEqual(read('-n', 'a', '-n', 'b').flags, ['--namespace', 'b'])
    assert.deepEqual(read('--group', 'a', '--group=b').flags, ['--group', 'a', '--group', 'b'])
  })

  it('takes explicit booleans', () => {
    assert.deepEqual(read('--all=true').flags, ['--all'])
    assert.deepEqual(read('-A=false').flags, [])
    assert.deepEqual(read('--all', '--all=false').flags, [])
  })

  it('takes what follows -- for words', () => {
    assert.deepEqual(read('a', '--', '-n', 'check'), {
      flags: [],
      words: ['a', '-n', 'check'],
      literalWords: 2,
    })
  })

  it('leaves unknown flags to the parser', () => {
    assert.deepEqual(read('--nope', '-x').flags, ['--nope', '-x'])
  })

  it('refuses a flag without its value', () => {
    assert.throws(() => read('-An'), { code: 'USAGE', message: '--namespace (-n) needs a value' })
    assert.throws(() => read('x', '--group'), { code: 'USAGE', message: '--group needs a value' })
  })
})
