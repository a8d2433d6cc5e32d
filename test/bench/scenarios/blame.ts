import { setTimeout as delay } from 'node:timers/promises'
import type { ChangeListExtra } from '../../../src/core/wire/change.ts'
import type { ControlPlane } from '../../kit/kubernetes/control-plane.ts'
import { startBuiltCompanion } from '../companion.ts'
import { comparison, type Finding } from '../finding.ts'
import { race } from '../race.ts'
import type { Scenario, ScenarioContext } from '../scenario.ts'

const NAMESPACE = 'bench-blame'
const CHANGES = `/apis/deckwatch.dev/v1alpha1/namespaces/${NAMESPACE}/changes`
const RECORDED_MS = 60_000

/** An object with a name at each line, beside kubectl printing the object. */
export const blameScenario: Scenario = {
  name: 'blame',
  about:
    'kubectl-blame deploy web -f yaml beside kubectl get deploy web -o yaml, without a companion and with one',
  cluster: 'small',
  async run(context) {
    const { control } = context.cluster
    const { admin } = control
    await admin.send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } })
    try {
      await admin.send('POST', `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, deployment())
      await scale(control, 3)
      const alone = await beside(context, '--companion=never', 0.7)
      const companion = await startBuiltCompanion(control, {
        components: ['api', 'image-graph', 'audit-log'],
      })
      try {
        await untilRecorded(control)
        return [...alone, ...(await beside(context, '--companion=require', 0.9))]
      } finally {
        await companion.stop()
      }
    } finally {
      await admin.send('DELETE', `/api/v1/namespaces/${NAMESPACE}`)
    }
  },
}

async function beside(
  { programs, cluster: { kubectl, env, bareEnv }, quick }: ScenarioContext,
  flag: string,
  bar: number,
): Promise<readonly Finding[]> {
  const args = ['deploy', 'web', '-n', NAMESPACE]
  const blamed = [...args, '-f', 'yaml', flag]
  const expect = /image: registry\.example\.com\/web:1\.0/
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/web`
  const times = await race(
    {
      compiled: { argv: [programs.blame.compiled, ...blamed], env, expect },
      onNode: { argv: [...programs.blame.onNode, ...blamed], env, expect },
      kubectl: { argv: [kubectl, 'get', ...args, '-o', 'yaml'], env, expect },
      bareGet: { argv: [programs.bareGet], env: bareEnv(path), expect: /^\d{3,} bytes/ },
    },
    quick ? 10 : 40,
  )
  const what = `kubectl-blame deploy web -f yaml ${flag}`
  const rival = { name: 'kubectl get deploy web -o yaml', times: times.kubectl }
  return [
    comparison(what, times.compiled, rival, bar),
    comparison('the same on Node', times.onNode, rival),
    comparison(what, times.compiled, { name: 'floor: one bare GET', times: times.bareGet }),
  ]
}

function scale(control: ControlPlane, replicas: number) {
  return control.kubectl(['scale', 'deploy/web', '-n', NAMESPACE, `--replicas=${replicas}`])
}

/** Writes until a write is told with the name of who made it. */
async function untilRecorded(control: ControlPlane): Promise<void> {
  const one = 'object.group=apps,object.resource=deployments,object.name=web'
  const path = `${CHANGES}?fieldSelector=${encodeURIComponent(one)}`
  const until = Date.now() + RECORDED_MS
  for (let replicas = 4; ; replicas = 9 - replicas) {
    await scale(control, replicas)
    await delay(500)
    const { touched = [] } = await control.admin.send<Partial<ChangeListExtra>>('GET', path)
    if (touched.some(({ username }) => username !== '')) return
    if (Date.now() > until) throw new Error('the companion does not record')
  }
}

function deployment(): object {
  const labels = { app: 'web' }
  const containers = ['app', 'proxy', 'metrics'].map((name) => ({
    name,
    image: 'registry.example.com/web:1.0',
    env: Array.from({ length: 10 }, (_, i) => ({ name: `SETTING_${i}`, value: `value-${i}` })),
    ports: [{ containerPort: 8080, name: `${name}-http` }],
    resources: { limits: { memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
  }))
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  }
}
