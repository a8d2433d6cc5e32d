import assert from 'node:assert/strict'
import { commandReference } from '../../../scripts/docs/command-reference.ts'

describe('the flag reference', () => {
  const text = commandReference(
    new Map([
      [
        'images',
        {
          summary: 'Which images run',
          description: 'All of them.',
          args: { regex: { description: 'what to keep' }, place: { description: 'where', required: true } },
          flags: {
            by: { type: 'option', options: ['pod', 'node'], summary: 'what a row is' },
            all: { type: 'boolean', char: 'A', summary: 'everything' },
            group: { type: 'option', helpGroup: 'connection', multiple: true, summary: 'act in it' },
            secret: { type: 'boolean', hidden: true, summary: 'not for people' },
          },
          examples: [{ description: 'All', command: 'kubectl images -A' }, 'kubectl images'],
        },
      ],
      ['images check', { args: {}, flags: {} }],
    ]),
  )

  it('has a section per command with its usage', () => {
    assert.deepEqual(text.match(/^# kubectl.*$/gm), ['# kubectl images', '# kubectl images check'])
    assert.match(text, /^kubectl images \[REGEX\] PLACE \[flags\]$/m)
    assert.match(text, /^kubectl images check$/m)
    assert.match(text, /^Which images run\.\n\nAll of them\.$/m)
  })

  it('lists arguments and flags, those of a group apart, with what would break a table escaped', () => {
    assert.match(text, /^\| `REGEX` \| what to keep \|$/m)
    assert.match(text, /^\| `--by=pod\\\|node` \| what a row is \|$/m)
    assert.match(text, /^\| `-A`, `--all` \| everything \|$/m)
    assert.match(
      text,
      /^\| connection flag \| meaning \|\n\|---\|---\|\n\| `--group=VALUE` \| act in it; may be repeated \|$/m,
    )
  })

  it('leaves out hidden flags', () => {
    assert.doesNotMatch(text, /secret|not for people/)
  })
})
