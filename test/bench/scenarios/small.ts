import { comparison } from '../finding.ts'
import { race } from '../race.ts'
import type { Scenario } from '../scenario.ts'

/** What most calls are: a small cluster, one answer. */
export const smallScenario: Scenario = {
  name: 'small',
  about: 'kubectl-images -A on 50 pods beside kubectl get pods -A',
  cluster: 'small',
  async run({ programs, cluster: { kubectl, env, bareEnv }, size, quick }) {
    const expect = /(?:^registry\.example\.com\/.*\n){6}/m
    const times = await race(
      {
        compiled: { argv: [programs.compiled, '-A'], env, expect },
        onNode: { argv: [...programs.onNode, '-A'], env, expect },
        kubectl: { argv: [kubectl, 'get', 'pods', '-A'], env, expect: /service-0000-/ },
        bareGet: {
          argv: [programs.bareGet],
          env: bareEnv('/api/v1/pods?limit=500'),
          expect: /^\d{5,} bytes/,
        },
      },
      quick ? 10 : 40,
    )
    const what = `kubectl-images -A, ${size.pods} pods`
    const rival = { name: 'kubectl get pods -A', times: times.kubectl }
    return [
      comparison(what, times.compiled, rival, 0.7),
      comparison('the same on Node', times.onNode, rival),
      comparison(what, times.compiled, { name: 'floor: one bare GET', times: times.bareGet }),
    ]
  },
}
