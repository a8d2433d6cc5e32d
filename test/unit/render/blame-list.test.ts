import assert from 'node:assert/strict'
import { renderBlameList } from '../../../src/cli/render/blame-list.ts'
import type { BlameItem, BlameLine, BlameScreen } from '../../../src/cli/render/blame-screen.ts'
import { createPalette } from '../../../src/cli/render/palette.ts'

const value = (label: string, ...values: string[]): BlameLine => ({ label, lead: '', values, tail: '' })

function row(cells: readonly string[], ...lines: BlameLine[]): BlameItem {
  return { type: 'row', cells, lines, depth: 0 }
}

function rendered(items: readonly BlameItem[], options: Parameters<typeof renderBlameList>[1]) {
  const screen: BlameScreen = {
    header: ['deployment/web'],
    titles: ['AGE', 'WHO', 'CHANGE'],
    items,
    footer: ['More: -f diff'],
    shortened: 'shortened',
  }
  const { chunks, footer } = renderBlameList(screen, options)
  return { text: [...chunks].join(''), footer }
}

describe('a screen of changes', () => {
  it('keeps its columns under wide, combined and dangerous characters', () => {
    const { text } = rendered(
      [
        row(['4m', '部署者'], value('image', '🚀', 'café')),
        row(['5m', 'e\u0301va'], value('image', 'a\u202eb', 'c\u001b[2Jd')),
        row(['6m', 'x'], value('データ', '一', '二')),
      ],
      { width: 60 },
    )
    assert.equal(
      text,
      [
        'deployment/web',
        'AGE  WHO     CHANGE',
        '4m   部署者  image  🚀 → café',
        '5m   e\u0301va     image  a\\u202eb → c\\x1b[2Jd',
        '6m   x       データ  一 → 二',
        '',
      ].join('\n'),
    )
  })

  it('colours meanings, around what is shown and not in the middle of it', async () => {
    const palette = await createPalette({ color: 'always', isTTY: false, env: {} })
    const { text } = rendered(
      [
        { type: 'row', cells: ['4m', '?'], lines: [value('image', 'a', 'b')], depth: 0, style: 'warn' },
        { type: 'note', text: '-- not recording', style: 'warn', within: false },
      ],
      { width: 60, palette },
    )
    const shown = text.replaceAll('\u001b', '')
    assert.equal(
      shown,
      [
        'deployment/web',
        '[1mAGE[22m  [1mWHO[22m  [1mCHANGE[22m',
        '4m   [33m?[39m    image  [31ma[39m → [32mb[39m',
        '[33m-- not recording[39m',
        '',
      ].join('\n'),
    )
  })

  it('advises nobody who wants no headers, but says when something was shortened', () => {
    const long = row(['4m', 'x'], value('image', 'a'.repeat(200), 'b'.repeat(200)))
    assert.deepEqual(rendered([long], { width: 60 }).footer, ['More: -f diff', '… = shortened'])
    const { text, footer } = rendered([long], { width: 60, noHeaders: true })
    assert.match(text, /^4m/)
    assert.deepEqual(footer, ['… = shortened'])
    assert.deepEqual(rendered([row(['4m', 'x'])], { width: 60, noHeaders: true }).footer, [])
  })

  it('stands under one another on a screen that is too narrow for columns', () => {
    const { text } = rendered(
      [row(['4m', 'dev-1@example.org'], value('image', 'nginx:1.24', 'nginx:1.25'))],
      {
        width: 36,
      },
    )
    assert.equal(text, 'deployment/web\n4m  dev-1@example.org\n  image  nginx:1.24 → nginx:1.25\n')
  })
})
