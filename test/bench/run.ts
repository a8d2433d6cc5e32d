import type { BulkOptions } from '../kit/kubernetes/bulk.ts'
import type { Finding } from './finding.ts'
import { report } from './report.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { preparePrograms, type Programs, startBenchCluster } from './setup.ts'

const CLUSTERS = ['small', 'large'] as const
const FULL: Readonly<Record<Scenario['cluster'], BulkOptions>> = {
  small: { pods: 50, images: 200, namespaces: 5, nodes: 5 },
  large: { pods: 10_000, images: 200, namespaces: 40, nodes: 100 },
}
const QUICK = { ...FULL, large: { pods: 1000, images: 100, namespaces: 20, nodes: 20 } }

const asked = process.argv.slice(2)
const quick = asked.includes('quick')
const names = asked.filter((word) => word !== 'quick')
const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name))
if (unknown.length > 0) {
  console.error(`no such scenario: ${unknown.join(', ')}; usage: npm run bench -- [quick] [NAME…]`)
  for (const { name, about } of SCENARIOS) console.error(`  ${name.padEnd(8)} ${about}`)
  process.exitCode = 2
} else {
  const chosen = SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name))
  const programs = await preparePrograms()
  const findings: Finding[] = []
  for (const cluster of CLUSTERS) {
    const scenarios = chosen.filter((scenario) => scenario.cluster === cluster)
    if (scenarios.length > 0) findings.push(...(await runOn(cluster, scenarios, programs)))
  }
  console.log(`\n${report(findings, !quick)}\n`)
  console.log('Times are medians of runs in random order; "of least" compares the least disturbed runs.')
  if (quick) console.log('A quick run with 1,000 pods in place of 10,000: its verdicts decide nothing.')
  else if (findings.some(({ bar }) => bar?.met === false)) process.exitCode = 1
}

async function runOn(
  kind: Scenario['cluster'],
  scenarios: readonly Scenario[],
  programs: Programs,
): Promise<readonly Finding[]> {
  const size = (quick ? QUICK : FULL)[kind]
  console.error(`starting Kubernetes and creating ${size.pods} pods …`)
  const cluster = await startBenchCluster(size)
  try {
    const findings: Finding[] = []
    for (const scenario of scenarios) {
      console.error(`${scenario.name}: ${scenario.about} …`)
      findings.push(...(await scenario.run({ programs, cluster, size, quick })))
    }
    return findings
  } finally {
    await cluster.control.stop()
  }
}
