import { formatCount } from '../../../src/core/lib/bytes.ts'
import { comparison, memory } from '../finding.ts'
import { peaks, race } from '../race.ts'
import type { Scenario } from '../scenario.ts'

/** A big cluster: how long the answer takes and how much memory. */
export const largeScenario: Scenario = {
  name: 'large',
  about: 'kubectl-images -A on 10,000 pods beside kubectl get pods -A: time and memory',
  cluster: 'large',
  async run({ programs, cluster: { kubectl, env, bareEnv }, size, quick }) {
    const expect = new RegExp(`(?:^registry\\.example\\.com/.*\\n){${size.images}}`, 'm')
    const contenders = {
      compiled: { argv: [programs.compiled, '-A'], env, expect },
      asJson: { argv: [programs.compiled, '-A', '--no-protobuf'], env, expect },
      onNode: { argv: [...programs.onNode, '-A'], env, expect },
      kubectl: { argv: [kubectl, 'get', 'pods', '-A'], env, expect: /service-0000-/ },
      bareGet: { argv: [programs.bareGet], env: bareEnv('/api/v1/pods'), expect: /^\d{7,} bytes/ },
    } as const
    const times = await race(contenders, quick ? 3 : 9)
    const bytes = await peaks(contenders, quick ? 1 : 5)
    const what = `kubectl-images -A, ${formatCount(size.pods)} pods`
    const rival = 'kubectl get pods -A'
    return [
      comparison(what, times.compiled, { name: rival, times: times.kubectl }, 0.25),
      comparison('the same without protobuf', times.asJson, { name: rival, times: times.kubectl }),
      comparison('the same on Node', times.onNode, { name: rival, times: times.kubectl }),
      comparison(what, times.compiled, { name: 'floor: one bare GET', times: times.bareGet }),
      memory(`${what}: peak memory`, bytes.compiled, { name: rival, bytes: bytes.kubectl }, 150),
      memory('the same without protobuf', bytes.asJson, { name: rival, bytes: bytes.kubectl }),
      memory('the same on Node', bytes.onNode, { name: rival, bytes: bytes.kubectl }),
    ]
  },
}
