import { type Command, outputOf } from '../command.ts'
import { type Distribution, distribution } from '../distribution.ts'
import { type Finding, milliseconds } from '../finding.ts'
import type { Scenario } from '../scenario.ts'

const PROGRAM = `${import.meta.dirname}/../programs/render-rows.ts`
const BAR_MS = 50

/** Plain columns of 10,000 rows, in processes that have nothing compiled yet. */
export const renderScenario: Scenario = {
  name: 'render',
  about: 'plain columns of 10,000 rows',
  cluster: 'small',
  async run({ programs, quick }) {
    const rounds = quick ? 5 : 15
    const onBun = await rendering({ argv: [programs.bun, PROGRAM] }, rounds)
    const onNode = await rendering({ argv: [process.execPath, PROGRAM] }, rounds)
    return [
      { ...finding("plain columns of 10,000 rows, on Bun's engine", onBun), bar: bar(onBun.columns) },
      finding("the same, on Node's", onNode),
    ]
  },
}

interface Rendering {
  readonly columns: Distribution
  readonly join: Distribution
}

async function rendering(command: Command, rounds: number): Promise<Rendering> {
  const runs: { readonly columns: number; readonly join: number }[] = []
  for (let round = 0; round < rounds; round++) runs.push(JSON.parse(await outputOf(command)))
  return {
    columns: distribution(runs.map(({ columns }) => columns)),
    join: distribution(runs.map(({ join }) => join)),
  }
}

function finding(what: string, { columns, join }: Rendering): Finding {
  return {
    what,
    ours: milliseconds(columns.median),
    rival: { name: 'floor: cells joined unaligned', result: milliseconds(join.median) },
    ratio: { median: columns.median / join.median, min: columns.min / join.min },
  }
}

function bar({ median }: Distribution): NonNullable<Finding['bar']> {
  return { text: `≤ ${BAR_MS} ms`, met: median <= BAR_MS }
}
