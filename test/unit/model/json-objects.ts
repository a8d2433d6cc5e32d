import * as fc from 'fast-check'

/** A text: words, odd characters, several lines with and without a final line feed. */
const texts = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'app',
    'x: 1',
    '80',
    'true',
    'null',
    'a.b/c',
    'é 🚀 "quoted"',
    '[name=app]',
    '*',
    '=',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc
    .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '', 'key: value', '\r'), { maxLength: 8 }), fc.boolean())
    .map(([lines, final]) => lines.join('\n') + (final ? '\n' : '')),
)

const key = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('a', 'b', 'name', 'spec', 'data', 'metadata', 'finalizers', 'image'),
  },
  fc.constantFrom('__proto__', 'constructor', 'toString', '', 'nginx.conf', 'a.b/c', '"', '[0]', '0', 'ü'),
  fc.string({ unit: 'binary', maxLength: 4 }),
)

const scalar = fc.oneof(
  texts,
  fc.boolean(),
  fc.constant(null),
  fc.integer({ min: -2, max: 100 }),
  fc.constant(0.5),
)

interface Tiers {
  json: unknown
  map: Record<string, unknown>
  keyed: unknown[]
}

const { json, map } = fc.letrec<Tiers>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: scalar },
    { weight: 4, arbitrary: tie('map') },
    { weight: 4, arbitrary: tie('keyed') },
    { weight: 1, arbitrary: fc.array(tie('json'), { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.uniqueArray(scalar, { maxLength: 5 }) },
  ),
  map: fc
    .array(fc.tuple(key, tie('json')), { maxLength: 6 })
    .map((entries) => Object.fromEntries(entries) as Record<string, unknown>),
  keyed: keyedList(tie('map') as fc.Arbitrary<Record<string, unknown>>),
}))

/** A list of maps that have keys, most often without two alike. */
function keyedList(entry: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<unknown[]> {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', '80', 'x.y', 'a,b]')
  const named = fc
    .uniqueArray(names, { maxLength: 6 })
    .chain((list) => fc.tuple(...list.map((name) => entry.map((rest) => ({ ...rest, name })))))
  const port = fc.record({
    port: fc.constantFrom<unknown>(80, '80', 443),
    protocol: fc.constantFrom('TCP', 'UDP'),
  })
  const ports = fc
    .array(port, { maxLength: 4 })
    .chain((list) => fc.tuple(...list.map((keys) => entry.map((rest) => ({ ...rest, ...keys })))))
  return fc.oneof({ weight: 3, arbitrary: named }, ports)
}

/** Any value of JSON as an API server could hold it. */
export const jsonValue: fc.Arbitrary<unknown> = json

/** Two versions of one object: unrelated, or the second made from the first by some edits. */
export const twoVersions: fc.Arbitrary<readonly [unknown, unknown]> = fc.oneof<
  fc.Arbitrary<readonly [unknown, unknown]>[]
>(
  fc.tuple(json, json),
  fc
    .tuple(map, fc.infiniteStream(fc.nat(99)), fc.infiniteStream(json))
    .map(([before, dice, values]): readonly [unknown, unknown] => [
      before,
      edited(before, { roll: () => dice.next().value ?? 0, value: () => values.next().value }),
    ]),
)

interface Chance {
  /** 0 to 99. */
  readonly roll: () => number
  readonly value: () => unknown
}

function edited(value: unknown, chance: Chance): unknown {
  if (chance.roll() < 4) return chance.value()
  if (typeof value === 'string') return chance.roll() < 15 ? editedText(value, chance) : value
  if (Array.isArray(value)) return editedList(value, chance)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .filter(() => chance.roll() >= 6)
    .map(([name, entry]) => [name, edited(entry, chance)] as const)
  return Object.fromEntries(chance.roll() < 10 ? [['added', chance.value()], ...entries] : entries)
}

function editedText(text: string, { roll }: Chance): string {
  const lines = text.split('\n')
  lines.splice(roll() % (lines.length + 1), roll() % 2, ...(roll() < 50 ? ['new line'] : []))
  return lines.join('\n')
}

function editedList(list: readonly unknown[], chance: Chance): unknown[] {
  const result = list.filter(() => chance.roll() >= 8).map((entry) => edited(entry, chance))
  if (chance.roll() < 15) {
    const [moved] = result.splice(chance.roll() % Math.max(1, result.length), 1)
    if (moved !== undefined) result.splice(chance.roll() % (result.length + 1), 0, moved)
  }
  if (chance.roll() < 15) result.splice(chance.roll() % (result.length + 1), 0, { name: 'new', image: 'x' })
  return result
}
