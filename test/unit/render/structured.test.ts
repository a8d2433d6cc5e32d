import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { renderJson, renderJsonLine, renderYaml } from '../../../src/cli/render/structured.ts'
import { parseYaml } from '../../../src/core/lib/yaml.ts'

const list = {
  apiVersion: 'deckwatch.dev/v1alpha1',
  kind: 'ImageList',
  items: [{ kind: 'Image', digests: [], usage: { pods: 2 } }, { kind: 'Image' }],
}
const unsafe = [
  '\u001b[31m',
  '\u009b2J',
  '\u007f',
  '\u202eabc',
  'a\u2028b',
  'x\n\u2066y\n',
  '\u{e0041}',
  '\ue0000\ue000',
]
// Line feeds are layout; ESC, C1, DEL, bidi and separators must not be there.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

function json(value: unknown): string {
  return [...renderJson(value)].join('')
}

async function yaml(value: unknown): Promise<string> {
  let text = ''
  for await (const chunk of renderYaml(value)) text += chunk
  return text
}

describe('JSON', () => {
  it('is indented by four blanks as kubectl does it, and ends with a line feed', () => {
    assert.equal(
      json(list),
      `\
{
    "apiVersion": "deckwatch.dev/v1alpha1",
    "kind": "ImageList",
    "items": [
        {
            "kind": "Image",
            "digests": [],
            "usage": {
                "pods": 2
            }
        },
        {
            "kind": "Image"
        }
    ]
}
`,
    )
  })

  it('is valid for an empty result', () => {
    assert.deepEqual(JSON.parse(json({ ...list, items: [] })), { ...list, items: [] })
    assert.equal(json([]), '[]\n')
  })

  it('is the same text as JSON.stringify makes, whatever the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        for (const value of [
          one,
          [one, other],
          { items: [one, other] },
          { a: one, items: [other], z: other },
        ]) {
          assert.equal(JSON.stringify(JSON.parse(json(value)), null, 4), JSON.stringify(value, null, 4))
        }
      }),
    )
  })

  it('comes in chunks', () => {
    const items = Array.from({ length: 2000 }, (_, index) => ({
      name: `image-${index}`,
      text: 'x'.repeat(100),
    }))
    const chunks = [...renderJson({ kind: 'ImageList', items })]
    assert.ok(chunks.length > 5)
    assert.ok(chunks.every((chunk) => Buffer.byteLength(chunk) <= 64 * 1024))
    assert.deepEqual(JSON.parse(chunks.join('')), { kind: 'ImageList', items })
  })

  it('escapes what a terminal would obey, without changing the value', () => {
    assert.doesNotMatch(json({ items: unsafe }), raw)
    assert.deepEqual(JSON.parse(json({ items: unsafe })), { items: unsafe })
    const line = renderJsonLine({ unsafe })
    assert.doesNotMatch(line.slice(0, -1), raw)
    assert.equal(line.indexOf('\n'), line.length - 1)
    assert.deepEqual(JSON.parse(line), { unsafe })
  })
})

describe('YAML', () => {
  it('is a list of its items', async () => {
    assert.equal(
      await yaml(list),
      `\
apiVersion: deckwatch.dev/v1alpha1
kind: ImageList
items:
- kind: Image
  digests: []
  usage:
    pods: 2
- kind: Image
`,
    )
    assert.equal(await yaml([{ a: 1 }, { b: 2 }]), '- a: 1\n- b: 2\n')
  })

  it('is valid for an empty result', async () => {
    assert.deepEqual(await parseYaml(await yaml({ ...list, items: [] })), { ...list, items: [] })
    assert.deepEqual(await parseYaml(await yaml([])), [])
  })

  it('escapes what a terminal would obey, in values and keys, without changing the value', async () => {
    const value = { items: [{ unsafe, ...Object.fromEntries(unsafe.map((key) => [key, key])) }] }
    const text = await yaml(value)
    assert.doesNotMatch(text, raw)
    assert.deepEqual(await parseYaml(text), value)
  })

  it('is read back as the same value, whatever the strings', async () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(...unsafe),
      fc.constantFrom('on', '1', '~', ''),
    )
    const member = fc.oneof(hostile, fc.integer(), fc.boolean(), fc.constant(null), fc.array(hostile))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string({ minLength: 1 }), member), { minLength: 1 }),
        async (items) => {
          const text = await yaml({ kind: 'List', items })
          assert.doesNotMatch(text, raw)
          assert.deepEqual(await parseYaml(text), JSON.parse(JSON.stringify({ kind: 'List', items })))
        },
      ),
      { numRuns: 60 },
    )
  })
})
