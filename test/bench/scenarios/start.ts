import { comparison } from '../finding.ts'
import { race } from '../race.ts'
import type { Scenario } from '../scenario.ts'

/** How long it takes to start and say one line. */
export const startScenario: Scenario = {
  name: 'start',
  about: 'kubectl-images --version beside kubectl version --client',
  cluster: 'small',
  async run({ programs, cluster: { kubectl, env }, quick }) {
    const expect = /\d+\.\d+\.\d+/
    const times = await race(
      {
        compiled: { argv: [programs.compiled, '--version'], env, expect },
        onNode: { argv: [...programs.onNode, '--version'], env, expect },
        kubectl: { argv: [kubectl, 'version', '--client'], env, expect },
      },
      quick ? 10 : 40,
    )
    const rival = { name: 'kubectl version --client', times: times.kubectl }
    return [
      comparison('kubectl-images --version', times.compiled, rival, 0.6),
      comparison('the same on Node', times.onNode, rival),
    ]
  },
}
