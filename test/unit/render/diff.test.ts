import assert from 'node:assert/strict'
import { renderDiffs, type UnifiedLine } from '../../../src/cli/render/diff.ts'
import { plainPalette, type Palette } from '../../../src/cli/render/palette.ts'

/** Shows where a colour begins and ends. */
const marked: Palette = {
  ...plainPalette,
  colored: true,
  good: (text) => `{+${text}+}`,
  bad: (text) => `[-${text}-]`,
  key: (text) => `<${text}>`,
}

function linesOf(text: string): UnifiedLine[] {
  return text.split('\n').map((line) => ({ mark: line[0] as UnifiedLine['mark'], text: line.slice(1) }))
}

const rendered = (text: string, palette?: Palette): string[] => {
  const diff = { title: '', facts: [], hunks: [{ heading: 'spec', lines: linesOf(text) }], note: '' }
  return [...renderDiffs([diff], palette)].join('').split('\n').slice(2, -1)
}

describe('a unified diff', () => {
  it('has its marks at the head of each line, and nothing is cut', () => {
    const long = 'x'.repeat(500)
    assert.deepEqual(rendered(` a\n-b\n+c\n+${long}\n `), [' a', '-b', '+c', `+${long}`, ''])
  })

  it('colours the words that differ where a line was replaced', () => {
    assert.deepEqual(rendered('-image: nginx:1.24\n+image: nginx:1.25', marked), [
      '[---]image: nginx:1.[-24-]',
      '{+++}image: nginx:1.{+25+}',
    ])
  })

  it('compares lines that were replaced one by one', () => {
    assert.deepEqual(rendered('-a: one 1\n-b: two 2\n+a: one 3\n+b: two 4', marked), [
      '[---]a: one [-1-]',
      '[---]b: two [-2-]',
      '{+++}a: one {+3+}',
      '{+++}b: two {+4+}',
    ])
  })

  it('colours whole lines that came, went, or have little in common', () => {
    assert.deepEqual(rendered('-gone\n same\n+come\n-one: 1\n+completely different', marked), [
      '[--gone-]',
      ' same',
      '{++come+}',
      '[--one: 1-]',
      '{++completely different+}',
    ])
  })

  it('shows what a terminal would obey, also where colours are on', () => {
    const text = '-a\u001b[2Jb\n+a\u202eb\r'
    assert.deepEqual(rendered(text), ['-a\\x1b[2Jb', '+a\\u202eb\\r'])
    assert.doesNotMatch(rendered(text, marked).join('\n'), /\u001b|\u202e|\r/)
    const diff = { title: 'a\u001b[1m', facts: [{ label: 'user', text: 'b\u0007' }], hunks: [], note: '' }
    assert.equal([...renderDiffs([diff])].join(''), 'a\\x1b[1m\nuser:  b\\x07\n')
  })

  it('leaves an empty line between changes', () => {
    const diff = { title: 'UPDATE x', facts: [], hunks: [], note: 'not kept' }
    assert.equal([...renderDiffs([diff, diff])].join(''), 'UPDATE x\n(not kept)\n\nUPDATE x\n(not kept)\n')
  })
})
