/** One part of `npm test`: a command that is a single check, or a folder of mocha tests in a process of their own. */
export type Part = { readonly name: string } & (
  | { readonly kind: 'check'; readonly command: readonly (readonly string[])[] }
  | {
      readonly kind: 'suite'
      /** Needs dist/bin, so that running it alone builds first. */
      readonly needsBuild: boolean
      /** Uses real clusters, which outlive single files and are ended by a global teardown. */
      readonly usesClusters: boolean
      /** Mostly waits, and for nothing that others would delay: it runs beside the suites that stand before it. */
      readonly runsBeside: boolean
      /** So many processes share its files, side by side: it waits more than it computes. */
      readonly processes: number
    }
)

/** A part that is a folder of tests. */
export type SuitePart = Extract<Part, { kind: 'suite' }>

const suite = (
  name: string,
  needs: { needsBuild?: boolean; usesClusters?: boolean; runsBeside?: boolean; processes?: number } = {},
): Part => ({
  name,
  kind: 'suite',
  needsBuild: false,
  usesClusters: false,
  runsBeside: false,
  processes: 1,
  ...needs,
})

/** Every part in the order in which it runs; the checks run side by side before the first suite. */
export const PARTS: readonly Part[] = [
  {
    name: 'lint',
    kind: 'check',
    command: [
      ['oxlint', '--type-aware'],
      ['prettier', '--check', '.'],
    ],
  },
  { name: 'types', kind: 'check', command: [['tsc', '-p', '.']] },
  { name: 'docs', kind: 'check', command: [['node', 'scripts/docs.ts', '--check']] },
  { name: 'build', kind: 'check', command: [['node', 'scripts/build.ts']] },
  suite('architecture'),
  suite('unit'),
  suite('contract', { usesClusters: true }),
  suite('cli', { needsBuild: true }),
  suite('node', { needsBuild: true, usesClusters: true, runsBeside: true }),
  suite('cluster', { needsBuild: true, usesClusters: true, processes: 2 }),
  suite('soak', { needsBuild: true, usesClusters: true }),
]

/** The parts that were asked for, or all but the soak; a part that needs the build brings it. Throws on unknown names. */
export function chooseParts(names: readonly string[]): readonly Part[] {
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name))
  if (unknown.length > 0) {
    throw new Error(
      `no such part: ${unknown.join(', ')} (there are ${PARTS.map(({ name }) => name).join(', ')})`,
    )
  }
  const wanted =
    names.length > 0 ? new Set(names) : new Set(PARTS.map(({ name }) => name).filter((n) => n !== 'soak'))
  if (PARTS.some((part) => wanted.has(part.name) && part.kind === 'suite' && part.needsBuild))
    wanted.add('build')
  return PARTS.filter(({ name }) => wanted.has(name))
}

/** Suites in the order in which they run: what stands together in one list runs side by side, each list in turn. */
export function lanes(parts: readonly Part[]): readonly (readonly SuitePart[])[][] {
  const suites = parts.filter((part): part is SuitePart => part.kind === 'suite')
  const at = suites.findIndex(({ runsBeside }) => runsBeside)
  if (at < 0) return suites.length > 0 ? [[suites]] : []
  const [before, beside, after] = [suites.slice(0, at), suites.slice(at, at + 1), suites.slice(at + 1)]
  return [[before, beside], [after]].map((lane) => lane.filter((list) => list.length > 0))
}
