import { type Command, outputOf, peakOfRun, timeRun } from './command.ts'
import { type Distribution, distribution } from './distribution.ts'

/** One of those that run against each other. */
export interface Contender extends Command {
  /** What must be in its output for its times to count. */
  readonly expect: RegExp
}

/**
 * Lets each contender answer once, which warms what it keeps on disk and must give what is expected; then times them in
 * rounds, in another order each time, so that whatever else the machine does falls on all alike. Milliseconds by
 * contender.
 */
export async function race<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  rounds: number,
): Promise<Record<Name, Distribution>> {
  const names = Object.keys(contenders) as Name[]
  for (const name of names) await check(contenders[name])
  const times = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) times.get(name)?.push(timeRun(contenders[name]))
  }
  return byName([...times].map(([name, values]) => [name, distribution(values)]))
}

/** The largest memory that any of some runs had resident, in bytes by contender. */
export async function peaks<Name extends string>(
  contenders: Readonly<Record<Name, Command>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const found: [Name, number][] = []
  for (const name of Object.keys(contenders) as Name[]) {
    const runs: number[] = []
    for (let round = 0; round < rounds; round++) runs.push(await peakOfRun(contenders[name]))
    found.push([name, Math.max(...runs)])
  }
  return byName(found)
}

async function check({ expect, ...command }: Contender): Promise<void> {
  const output = await outputOf(command)
  if (expect.test(output)) return
  throw new Error(
    `${command.argv.join(' ')} does not answer with ${String(expect)} but:\n${output.slice(0, 2000)}`,
  )
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

function byName<Name extends string, Value>(
  entries: readonly (readonly [Name, Value])[],
): Record<Name, Value> {
  return Object.fromEntries(entries) as Record<Name, Value>
}
