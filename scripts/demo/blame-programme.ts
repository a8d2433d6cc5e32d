import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Change } from '../../src/core/wire/change.ts'
import type { ControlPlane } from '../../test/kit/kubernetes/control-plane.ts'
import { kubectlOutput } from '../../test/kit/kubernetes/kubectl.ts'
import { beginSync, inviteDevelopers, syncedWeb } from './people.ts'
import type { Stage } from './stage.ts'

const SHOP = 'shop'
/** As many as the shop has, so that another one is refused. */
const DEPLOYMENTS = 2
/** A time without a witness is a gap from five seconds on. */
const ABSENCE_MS = 5500
const PATIENCE_MS = 30_000
const COMPANION = ['-n', 'deckwatch', '-l', 'app.kubernetes.io/name=deckwatch'] as const

/** People and a GitOps tool who change deployment/web of the shop, on a local cluster. */
export class Colleagues {
  readonly #cluster: ControlPlane
  /** A kubeconfig with the contexts `dev-1`, `dev-2` and `argocd` besides the administrator's. */
  readonly kubeconfig: string

  private constructor(cluster: ControlPlane, kubeconfig: string) {
    this.#cluster = cluster
    this.kubeconfig = kubeconfig
  }

  /** Gives them their rights; `folder` gets the file that Argo CD applies. */
  static async invite(cluster: ControlPlane, folder: string): Promise<Colleagues> {
    const kubeconfig = await inviteDevelopers(cluster, { namespace: SHOP, deployments: DEPLOYMENTS })
    writeFileSync(join(folder, 'web.yaml'), JSON.stringify(syncedWeb(SHOP)))
    return new Colleagues(cluster, kubeconfig)
  }

  /** What they do while both witnesses look. */
  async work(stage: Stage): Promise<void> {
    await stage.show({
      caption: 'A person changes something',
      command: 'kubectl --context dev-1 scale deployment/web --replicas=2',
    })
    await beginSync(this.#cluster, { revision: '9f3c2e1', username: 'dev-2@example.org' })
    await stage.show({
      caption:
        'So does a GitOps tool; here its ServiceAccount plays Argo CD, for a sync that dev-2 asked for',
      command:
        'kubectl --context argocd apply -f web.yaml --server-side --force-conflicts --field-manager argocd-controller',
    })
    await stage.show({
      caption: 'What is refused, here by a quota, is no change',
      command: `kubectl --context dev-2 create deployment shadow --image=alpine:3.20`,
      exitCode: 1,
    })
    await stage.show({
      caption: 'Nor is what is only tried',
      command: 'kubectl --context dev-2 scale deployment/web --replicas=0 --dry-run=server',
    })
  }

  /** The companion is away for more than five seconds, in which somebody changes the image of deployment/web. */
  async workUnseen(image: string, signal: AbortSignal): Promise<void> {
    const asDev2 = { kubeconfig: this.kubeconfig, signal }
    await kubectlOutput(this.#cluster, ['scale', 'deployment/deckwatch', '-n', 'deckwatch', '--replicas=0'], {
      signal,
    })
    await kubectlOutput(this.#cluster, ['wait', '--for=delete', 'pods', ...COMPANION, '--timeout=30s'], {
      signal,
    })
    await kubectlOutput(
      this.#cluster,
      ['--context=dev-2', 'set', 'image', 'deployment/web', `app=${image}`],
      asDev2,
    )
    await delay(ABSENCE_MS, undefined, { signal })
    await kubectlOutput(this.#cluster, ['scale', 'deployment/deckwatch', '-n', 'deckwatch', '--replicas=1'], {
      signal,
    })
  }

  /** What they do once it is back. */
  async workOn(stage: Stage, signal: AbortSignal): Promise<void> {
    await this.#untilSeen('unattributed', signal)
    await stage.show({
      caption: 'Then somebody changes something again',
      command: 'kubectl --context dev-2 scale deployment/web --replicas=3',
    })
    await this.#untilSeen('confirmed', signal, ({ changes }) => changes.some(({ to }) => to === 3))
  }

  async #untilSeen(
    state: Change['state'],
    signal: AbortSignal,
    matches: (change: Change) => boolean = () => true,
  ): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
    for (;;) {
      const { stdout, exitCode } = await this.#cluster.kubectl(
        ['get', 'changes', '-n', SHOP, `--field-selector=state=${state},object.name=web`, '-o', 'json'],
        { signal: limit },
      )
      // While the companion's pod is coming, nobody answers.
      if (exitCode === 0 && (JSON.parse(stdout) as { items: Change[] }).items.some(matches)) return
      await delay(100, undefined, { signal: limit })
    }
  }
}

/** Who changed what, in every form. */
export async function playBlame(stage: Stage): Promise<void> {
  await stage.show({
    caption: 'Who changed deployment/web, what, and when; and when nobody was looking',
    command: 'kubectl blame deploy web -n shop',
  })
  await stage.show({
    caption: 'The same as differences, with all that is known of who made them',
    command: 'kubectl blame deploy web -n shop -f diff',
  })
  await stage.show({
    caption:
      'The object as it is now, with a name and a time at each line; older than the recording, the field managers',
    command: 'kubectl blame deploy web -n shop -f yaml | head -n 40',
  })
  await stage.show({ caption: 'The latest changes over the cluster', command: 'kubectl blame' })
}
