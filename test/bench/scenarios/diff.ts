import { outputOf } from '../command.ts'
import { distribution, type Distribution } from '../distribution.ts'
import type { Finding } from '../finding.ts'
import type { Scenario } from '../scenario.ts'

const PROGRAM = `${import.meta.dirname}/../programs/diff-updates.ts`
const BAR = 1.2
const RIVALS = ['fast-json-patch', 'jsondiffpatch'] as const

type Name = 'ours' | (typeof RIVALS)[number]

interface Measured {
  readonly raw: Readonly<Record<Name, readonly number[]>>
  readonly stripped: Readonly<Record<Name, readonly number[]>>
  readonly bytes: Readonly<Record<Name, number>>
}

/** What changed between two versions of an object, beside other libraries. */
export const diffScenario: Scenario = {
  name: 'diff',
  about: 'the difference of two versions of an object',
  cluster: 'small',
  async run({ quick }) {
    const program = { argv: [process.execPath, PROGRAM, quick ? '200' : '2000'] } as const
    const { raw, stripped, bytes } = JSON.parse(await outputOf(program)) as Measured
    return [
      ...speed('one update as a review has it, mean of nine kinds', raw),
      ...speed('the same without managedFields and status', stripped),
      ...size(bytes),
    ]
  },
}

function speed(what: string, times: Measured['raw']): Finding[] {
  const ours = distribution(times.ours)
  const rivals = RIVALS.map((name) => ({ name, times: distribution(times[name]) }))
  const fastest = Math.min(...rivals.map((rival) => rival.times.median))
  return rivals.map(({ name, times: theirs }) => {
    const ratio = ours.median / theirs.median
    return {
      what: `diff: ${what}`,
      ours: microseconds(ours),
      rival: { name, result: microseconds(theirs) },
      ratio: { median: ratio, min: ours.min / theirs.min },
      ...(theirs.median === fastest ? { bar: { text: `≤ ${BAR}`, met: ratio <= BAR } } : {}),
    }
  })
}

function size(bytes: Measured['bytes']): Finding[] {
  return RIVALS.map((name) => ({
    what: 'diff: bytes of one update, as kept',
    ours: `${Math.round(bytes.ours)} B`,
    rival: { name, result: `${Math.round(bytes[name])} B` },
    ratio: { median: bytes.ours / bytes[name] },
    bar: { text: '< 1', met: bytes.ours < bytes[name] },
  }))
}

function microseconds({ median }: Distribution): string {
  return `${median.toFixed(1)} µs`
}
