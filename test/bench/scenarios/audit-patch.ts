import { setTimeout as delay } from 'node:timers/promises'
import type { ControlPlane } from '../../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../../kit/kubernetes/namespaces.ts'
import { startBareWebhook } from '../bare-webhook.ts'
import { startBuiltCompanion } from '../companion.ts'
import { distribution } from '../distribution.ts'
import { comparison } from '../finding.ts'
import type { Scenario } from '../scenario.ts'

/** Namespaces by who is asked about the writes in them. */
const RECORDED = 'patch-recorded'
const ANSWERED = 'patch-answered'
const UNASKED = 'patch-unasked'
const FLOOR = 'bench-answering'
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const BAR = 1.3
const REGISTERED_MS = 30_000

/** What a write of a ConfigMap takes with the audit log, beside a webhook that only answers, and none. */
export const auditPatchScenario: Scenario = {
  name: 'audit-patch',
  about: 'a ConfigMap patch on the real API server, with the audit log and with a webhook that only answers',
  cluster: 'small',
  async run({ cluster: { control }, quick }) {
    const floor = await startBareWebhook(control, 'answer')
    const companion = await startBuiltCompanion(control, {
      components: ['api', 'audit-log'],
      flags: [`--audit-exclude-namespaces=${ANSWERED},${UNASKED}`],
    })
    try {
      await registerFloor(control, floor.url)
      for (const namespace of [RECORDED, ANSWERED, UNASKED]) await makeMap(control, namespace)
      await untilRegistered(companion)
      const times: Record<string, number[]> = { [RECORDED]: [], [ANSWERED]: [], [UNASKED]: [] }
      const rounds = quick ? 60 : 400
      for (let round = -20; round < rounds; round += 1) {
        for (const namespace of [RECORDED, ANSWERED, UNASKED]) {
          const began = performance.now()
          await control.admin.text('PATCH', mapPath(namespace), { data: { round: String(round) } })
          if (round >= 0) times[namespace]?.push(performance.now() - began)
        }
      }
      const [ours, answered, unasked] = [RECORDED, ANSWERED, UNASKED].map((namespace) =>
        distribution(times[namespace] ?? []),
      )
      if (!ours || !answered || !unasked) return []
      const what = 'a ConfigMap patch on the real API server'
      return [
        comparison(what, ours, { name: 'a webhook that only answers', times: answered }, BAR),
        comparison(what, ours, { name: 'no webhook', times: unasked }),
      ]
    } finally {
      await control.admin.text('DELETE', `${WEBHOOKS}/${FLOOR}`).catch(() => undefined)
      await companion.stop()
      await floor.stop()
    }
  },
}

function mapPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/bench`
}

async function makeMap({ admin }: ControlPlane, namespace: string): Promise<void> {
  await ensureNamespace(admin, namespace)
  await admin.send('POST', `/api/v1/namespaces/${namespace}/configmaps`, {
    metadata: { name: 'bench' },
    data: { round: '', text: 'some text of a configuration file\n'.repeat(40) },
  })
}

async function registerFloor({ admin, authority }: ControlPlane, url: string): Promise<void> {
  await admin.send('POST', WEBHOOKS, {
    metadata: { name: FLOOR },
    webhooks: [
      {
        name: 'floor.bench.deckwatch.dev',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 1,
        clientConfig: { url, caBundle: Buffer.from(authority.certificate).toString('base64') },
        rules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            resources: ['configmaps'],
            operations: ['CREATE', 'UPDATE'],
          },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': ANSWERED } },
      },
    ],
  })
}

async function untilRegistered(companion: Awaited<ReturnType<typeof startBuiltCompanion>>): Promise<void> {
  for (const until = Date.now() + REGISTERED_MS; Date.now() < until; await delay(100)) {
    const { components } = await companion.status()
    if (components.some(({ recording }) => recording?.webhook.ok)) return
  }
  throw new Error('the webhook of the audit log was not registered in time')
}
