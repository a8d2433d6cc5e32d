import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { stringify } from 'yaml'
import {
  editYaml,
  parseYaml,
  parseYamlDocuments,
  stringifyYaml,
  YamlError,
} from '../../../src/core/lib/yaml.ts'
import { requireBun } from '../kube/bun.ts'
import { readings } from './yaml-run.ts'
import type { Reading } from './yaml-run.ts'

const TABLE: readonly (readonly [string, string, unknown])[] = [
  ['nothing', '', null],
  ['a comment', '# hi\n', null],
  ['JSON', '{"a": [1, {"b": null}], "c": "x\\u0041"}', { a: [1, { b: null }], c: 'xA' }],
  ['a document marker', '---\na: 1\n', { a: 1 }],
  ['the first of two documents', 'a: 1\n---\nb: 2\n', { a: 1 }],
  ['the last of a key given twice', 'a: 1\nb: 2\na: 3\n', { a: 3, b: 2 }],
  ['a merge key', 'x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n', { x: { a: 1, b: 2 }, y: { a: 1, b: 3 } }],
  ['tags', 'a: !!str 123\n', { a: '123' }],
  ['lists at the level of their key', 'a:\n- x\n- {y: z}\n', { a: ['x', { y: 'z' }] }],
  ['text in blocks', 'a: |\n  x\n  y\nb: >-\n  p\n  q\n', { a: 'x\ny\n', b: 'p q' }],
  ['quotes', 'a: "x\\ty"\nb: \'it\'\'s\'\nc: "~"\n', { a: 'x\ty', b: "it's", c: '~' }],
  [
    'numbers and what only looks like one',
    'a: 1e3\nb: 0x1f\nc: 1_000\nd: 1.2.3\n',
    { a: 1000, b: 31, c: '1_000', d: '1.2.3' },
  ],
  ['words of YAML 1.1 as text', 'a: yes\nb: on\nc: 2020-01-01\n', { a: 'yes', b: 'on', c: '2020-01-01' }],
  ['nulls', 'a:\nb: ~\nc: null\n', { a: null, b: null, c: null }],
  ['colons and hashes in values', 'a: https://h:1#x\nb: x #c\n', { a: 'https://h:1#x', b: 'x' }],
  ['Windows line ends and a byte order mark', '\uFEFFa: 1\r\nb: x\r\n', { a: 1, b: 'x' }],
]

const BROKEN: readonly (readonly [string, string, number])[] = [
  ['a flow that does not end', 'a: 1\nb: [1, 2\n', 3],
  ['a mapping in a mapping on one line', 'a: b: c\n', 1],
  ['a tab', 'a:\n\tb: 1\n', 2],
  ['a list that becomes a mapping', '- a\nb: 1\n', 2],
]

describe('reading YAML', () => {
  for (const [what, text, value] of TABLE) {
    it(`takes ${what}`, async () => {
      deepEqual(await parseYaml(text), value)
    })
  }

  for (const [what, text, line] of BROKEN) {
    it(`names the line of ${what}`, async () => {
      await rejects(parseYaml(text), (error: unknown) => {
        ok(error instanceof YamlError)
        equal(error.line, line)
        ok((error.column ?? 0) >= 1)
        ok(error.message.length > 0 && !error.message.includes('\n'))
        return true
      })
    })
  }

  it('takes all documents of a text, without the empty ones', async () => {
    deepEqual(await parseYamlDocuments('---\na: 1\n---\n# nothing\n---\n- b\n...\n---\n"c"\n'), [
      { a: 1 },
      ['b'],
      'c',
    ])
    deepEqual(await parseYamlDocuments('{"a": 1}'), [{ a: 1 }])
    deepEqual(await parseYamlDocuments(''), [])
    deepEqual(await parseYamlDocuments('# nothing\n'), [])
  })

  it('names the line of a fault in any document', async () => {
    await rejects(parseYamlDocuments('a: 1\n---\nb: 2\nc: d: e\n'), (error: unknown) => {
      ok(error instanceof YamlError)
      equal(error.line, 4)
      return true
    })
  })

  it('refuses an alias that leads nowhere', () => rejects(parseYaml('a: *b\n'), YamlError))

  it('never quotes the text that it refuses, which may hold a token', async () => {
    for (const text of [
      'token: *hunter2\n',
      'a: 1\ntoken: hunter2: x\n',
      'token: [hunter2\n',
      'token: `hunter2`\n',
    ]) {
      await rejects(parseYaml(text), (error: unknown) => {
        ok(error instanceof YamlError)
        ok(!`${error.message}${error.stack}${String(error.cause)}`.includes('hunter2'), error.message)
        return true
      })
    }
  })

  it('is the same under Bun, whose own reader is used there', async function () {
    this.timeout(60_000)
    const bun = requireBun(this)
    const made = fc.sample(
      fc
        .tuple(
          fc.jsonValue({ maxDepth: 4 }),
          fc.constantFrom('BLOCK_FOLDED', 'BLOCK_LITERAL', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'PLAIN'),
          fc.boolean(),
          fc.boolean(),
        )
        .map(([value, defaultStringType, flow, indentSeq]) =>
          stringify(value, {
            defaultStringType,
            indentSeq,
            collectionStyle: flow ? 'flow' : 'any',
            // A key that is not text is read differently by any two readers.
            defaultKeyType: 'QUOTE_DOUBLE',
          }),
        ),
      { numRuns: 400, seed: 20_261_121 },
    )
    const texts = [...TABLE.map(([, text]) => text), ...BROKEN.map(([, text]) => text), ...made]
    const here = JSON.parse(JSON.stringify(await readings(texts))) as Reading[]
    const there = await readingsUnder(bun, texts)
    equal(there.length, texts.length)
    texts.forEach((text, at) => deepEqual(there[at], here[at], text))
  })
})

function readingsUnder(bun: string, texts: readonly string[]): Promise<Reading[]> {
  const child = spawn(bun, [fileURLToPath(new URL('yaml-run.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(texts))
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk) => (output += String(chunk)))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as Reading[])
      else reject(new Error(`bun ended with ${code}`))
    })
  })
}

describe('writing YAML', () => {
  it('gives back what was written', () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        // JSON has no negative zero, YAML has.
        const asJson = (read: unknown): unknown => JSON.parse(JSON.stringify(read))
        deepEqual(asJson(await parseYaml(await stringifyYaml(value))), asJson(value))
      }),
    ))

  it('quotes what YAML 1.1 or 1.2 would not read as text', async () => {
    const words = [
      'yes',
      'no',
      'on',
      'off',
      'y',
      'null',
      '~',
      '0123',
      '0o17',
      '1e3',
      '012:30',
      '2020-01-01',
      'true',
      '',
    ]
    const text = await stringifyYaml(words)
    for (const line of text.trim().split('\n')) ok(line.startsWith('- "'), line)
  })

  it('writes a value that stands in two places twice, and folds no long line', async () => {
    const shared = { long: 'word '.repeat(60).trim() }
    const text = await stringifyYaml({ a: shared, b: shared })
    ok(!text.includes('&') && !text.includes('*'))
    equal(text.trim().split('\n').length, 4)
  })
})

describe('editing YAML', () => {
  it('changes the named values and leaves comments and order', async () => {
    const text = '# mine\nb: 1 # one\na:\n  - name: x\n    token: old\n'
    equal(
      await editYaml(text, [
        { path: ['a', 0, 'token'], value: 'new' },
        { path: ['a', 0, 'more'], value: 'yes' },
      ]),
      '# mine\nb: 1 # one\na:\n  - name: x\n    token: new\n    more: yes\n',
    )
  })

  it('refuses what is not YAML', () => rejects(editYaml('a: [', []), YamlError))
})
