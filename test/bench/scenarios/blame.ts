import { comparison } from '../finding.ts'
import { race } from '../race.ts'
import type { Scenario } from '../scenario.ts'

const NAMESPACE = 'bench-blame'

/** An object with a name at each line, beside kubectl printing the object. */
export const blameScenario: Scenario = {
  name: 'blame',
  about: 'kubectl-blame deploy web -f yaml without a companion beside kubectl get deploy web -o yaml',
  cluster: 'small',
  async run({ programs, cluster: { control, kubectl, env, bareEnv }, quick }) {
    const { admin } = control
    await admin.send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } })
    try {
      const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`
      await admin.send('POST', path, deployment())
      await control.kubectl(['scale', 'deploy/web', '-n', NAMESPACE, '--replicas=3'])
      const args = ['deploy', 'web', '-n', NAMESPACE]
      const never = [...args, '-f', 'yaml', '--companion=never']
      const expect = /image: registry\.example\.com\/web:1\.0/
      const times = await race(
        {
          compiled: { argv: [programs.blame.compiled, ...never], env, expect },
          onNode: { argv: [...programs.blame.onNode, ...never], env, expect },
          kubectl: { argv: [kubectl, 'get', ...args, '-o', 'yaml'], env, expect },
          bareGet: { argv: [programs.bareGet], env: bareEnv(`${path}/web`), expect: /^\d{3,} bytes/ },
        },
        quick ? 10 : 40,
      )
      const what = 'kubectl-blame deploy web -f yaml --companion=never'
      const rival = { name: 'kubectl get deploy web -o yaml', times: times.kubectl }
      return [
        comparison(what, times.compiled, rival, 0.7),
        comparison('the same on Node', times.onNode, rival),
        comparison(what, times.compiled, { name: 'floor: one bare GET', times: times.bareGet }),
      ]
    } finally {
      await admin.send('DELETE', `/api/v1/namespaces/${NAMESPACE}`)
    }
  },
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
