import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { renderLabelledLines } from '../../../src/cli/render/labelled-lines.ts'
import { displayWidth } from '../../../src/core/lib/text.ts'

describe('labelled lines', () => {
  it('stand in two columns', () => {
    assert.deepEqual(
      renderLabelledLines([
        { label: 'api', text: 'answers' },
        { label: 'certificates', text: 'renew in 58 d   in time' },
        { label: '', text: 'more' },
      ]),
      ['api           answers\n', 'certificates  renew in 58 d   in time\n', '              more\n'],
    )
  })

  it('are wrapped between words under their own beginning, and items under their first word', () => {
    const text = 'word '.repeat(30).trimEnd()
    assert.deepEqual(
      renderLabelledLines([
        { label: 'a', text },
        { label: '', text: `- ${text}` },
      ]),
      [
        `a  ${'word '.repeat(19).trimEnd()}\n`,
        `   ${'word '.repeat(11).trimEnd()}\n`,
        `   - ${'word '.repeat(19).trimEnd()}\n`,
        `     ${'word '.repeat(11).trimEnd()}\n`,
      ],
    )
  })

  it('have marks in a column of their own, additions below, and no blanks at their ends', () => {
    assert.deepEqual(
      renderLabelledLines([
        { label: 'api', text: 'answers' },
        { label: 'pod', text: 'crashed', mark: '!', addition: 'mend: kubectl logs' },
        { label: 'pod/with-quite-a-long-name', text: 'crashed', mark: '!' },
        { label: 'you', text: '' },
      ]),
      [
        '  api                   answers\n',
        '! pod                   crashed\n',
        '                        mend: kubectl logs\n',
        '! pod/with-quite-a-long-name\n',
        '                        crashed\n',
        '  you\n',
      ],
    )
  })

  it('show what a cluster says without its control characters', () => {
    assert.deepEqual(renderLabelledLines([{ label: 'a\u001b[31m', text: 'b\u202ec' }]), [
      'a\\x1b[31m  b\\u202ec\n',
    ])
  })

  it('lose no word, and are no longer than a screen where words allow it', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,40}$/), { maxLength: 60 })
    fc.assert(
      fc.property(words, fc.stringMatching(/^[a-z]{0,30}$/), (list, label) => {
        const lines = renderLabelledLines([{ label, text: list.join(' ') }])
        assert.deepEqual(lines.join(' ').split(/\s+/).filter(Boolean), [label, ...list].filter(Boolean))
        for (const line of lines) assert.ok(displayWidth(line.trimEnd()) <= 100, line)
      }),
    )
  })
})
