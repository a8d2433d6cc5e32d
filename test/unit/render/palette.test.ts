import assert from 'node:assert/strict'
import { createPalette, plainPalette, wantsColor } from '../../../src/cli/render/palette.ts'
import type { PaletteOptions } from '../../../src/cli/render/palette.ts'

const cases: readonly (readonly [string, PaletteOptions, boolean])[] = [
  ['a terminal', { color: 'auto', isTTY: true, env: { TERM: 'xterm-256color' } }, true],
  ['a pipe', { color: 'auto', isTTY: false, env: {} }, false],
  ['a dumb terminal', { color: 'auto', isTTY: true, env: { TERM: 'dumb' } }, false],
  ['NO_COLOR', { color: 'auto', isTTY: true, env: { NO_COLOR: '1' } }, false],
  ['an empty NO_COLOR', { color: 'auto', isTTY: true, env: { NO_COLOR: '' } }, true],
  [
    'NO_COLOR against FORCE_COLOR',
    { color: 'auto', isTTY: true, env: { NO_COLOR: '1', FORCE_COLOR: '1' } },
    false,
  ],
  ['FORCE_COLOR in a pipe', { color: 'auto', isTTY: false, env: { FORCE_COLOR: '1' } }, true],
  ['FORCE_COLOR=0 on a terminal', { color: 'auto', isTTY: true, env: { FORCE_COLOR: '0' } }, false],
  ['CLICOLOR_FORCE in a pipe', { color: 'auto', isTTY: false, env: { CLICOLOR_FORCE: '1' } }, true],
  ['CLICOLOR_FORCE=0 in a pipe', { color: 'auto', isTTY: false, env: { CLICOLOR_FORCE: '0' } }, false],
  ['CLICOLOR=0 on a terminal', { color: 'auto', isTTY: true, env: { CLICOLOR: '0' } }, false],
  [
    '--color=always against NO_COLOR in a pipe',
    { color: 'always', isTTY: false, env: { NO_COLOR: '1' } },
    true,
  ],
  ['--color=never against FORCE_COLOR', { color: 'never', isTTY: true, env: { FORCE_COLOR: '1' } }, false],
]

describe('the palette', () => {
  for (const [what, options, expected] of cases) {
    it(`${expected ? 'colours' : 'does not colour'} with ${what}`, async () => {
      assert.equal(wantsColor(options), expected)
      const palette = await createPalette(options)
      assert.equal(palette.colored, expected)
      assert.equal(palette.bad('gone') !== 'gone', expected)
    })
  }

  it('has a distinct look for each meaning, around the text as it is', async () => {
    const { colored: _, series, ...styles } = await createPalette({ color: 'always', isTTY: false, env: {} })
    const looks = Object.values(styles).map((style) => style('x'))
    const turns = series.map((color) => color('x'))
    assert.equal(new Set(looks).size, looks.length)
    assert.equal(new Set(turns).size, turns.length)
    // eslint-disable-next-line no-control-regex -- colours are control characters
    for (const look of [...looks, ...turns]) assert.match(look, /^\u001b\[\d+mx\u001b\[\d+m$/)
    assert.deepEqual(
      Object.keys(styles).toSorted(),
      Object.keys(plainPalette)
        .filter((key) => key !== 'colored' && key !== 'series')
        .toSorted(),
    )
  })
})
