import { plural } from '../../../core/lib/text.ts'
import { parseDuration } from '../../../core/lib/time.ts'
import { API_SERVICE } from '../../features/deckwatch/installation.ts'
import { KINDS, spokenName } from '../../features/deckwatch/kinds.ts'
import { isNothing, planUninstall, type UninstallPlan } from '../../features/deckwatch/plan-uninstall.ts'
import { uninstall } from '../../features/deckwatch/uninstall.ts'
import { renderLabelledLines } from '../../render/labelled-lines.ts'
import { DeckCommand } from '../../shell/deck-command.ts'
import { clusterName, withAfterword, withCluster, type ClusterSession } from './cluster-session.ts'
import { confirm, requireTerminal } from './confirm.ts'
import { uninstallFlags } from './flags.ts'

/** `kubectl deckwatch uninstall`: takes the companion away and ends when nothing of it is left. */
export class UninstallCommand extends DeckCommand {
  static override readonly id = 'uninstall'
  static override readonly summary = 'Take the companion away, with all that it made'
  static override readonly description =
    'Removes the webhook and the registration of the API group first, then everything with the labels of deckwatch, the volume and the namespace, and ends when all of it is gone. A namespace that holds what is not of deckwatch stays. Also frees a cluster whose companion was deleted by force, so that no namespace could be deleted any more.'
  static override readonly usage = 'uninstall [flags]'
  static override readonly flags = uninstallFlags
  static override readonly examples = [
    { description: 'Take all away', command: 'kubectl deckwatch uninstall' },
    {
      description: 'Keep the history for a later install',
      command: 'kubectl deckwatch uninstall --keep-data',
    },
  ]

  override async run(): Promise<void> {
    const { flags } = await this.parse(UninstallCommand)
    const timeoutMs = parseDuration(flags.timeout)
    const { stdout, signal } = this.session
    await withCluster(flags, this.session, async (session) => {
      const { cluster, connection, progress } = session
      progress.update('looking at the cluster')
      const choice = { namespace: flags.namespace, keepData: flags['keep-data'] }
      const plan = await planUninstall(cluster, choice, signal)
      progress.clear()
      const where = clusterName(connection)
      if (isNothing(plan)) {
        const left = plan.stays.length > 0 ? `; there stays ${plan.stays.join('; ')}` : ''
        return stdout.write(`Nothing of deckwatch is in ${where}${left}.\n`)
      }
      await this.#printPlan(plan, where)
      if (!flags.yes) {
        await requireTerminal(this.session, 'Give --yes.')
        await confirm(this.session, 'Take it away?')
      }
      await this.#uninstall(session, plan, timeoutMs)
    })
  }

  async #printPlan(plan: UninstallPlan, where: string): Promise<void> {
    const { apiService, objects, data, ownNamespace, terminating, namespace, stays } = plan
    const counted = [
      ...(apiService ? [spokenName(API_SERVICE)] : []),
      ...(objects.length > 0 ? [`${plural(objects.length, 'object')} of the companion`] : []),
      ...data.map((ref) => `${spokenName(ref)} with the history${ref.kind === KINDS.Secret ? "'s key" : ''}`),
      ...(ownNamespace ? [`namespace ${namespace}`] : []),
      ...(terminating ? [`what holds namespace ${namespace}, which is being deleted`] : []),
    ]
    const lines = [
      { label: 'Removes', text: `from ${where}: ${counted.join(', ')}` },
      ...stays.map((text) => ({ label: 'Stays', text })),
    ]
    for (const line of renderLabelledLines(lines)) await this.session.stdout.write(line)
  }

  async #uninstall(
    { cluster, progress }: ClusterSession,
    plan: UninstallPlan,
    timeoutMs: number,
  ): Promise<void> {
    const { stdout, stderr, clock, signal } = this.session
    let deleted = 0
    try {
      for await (const step of uninstall({ cluster, clock }, plan, timeoutMs, signal)) {
        if (step.type === 'waiting') progress.update(`waiting for ${step.for}`)
        else {
          deleted += 1
          progress.clear()
          await stdout.write(`${spokenName(step.ref)} deleted\n`)
        }
      }
    } catch (error) {
      progress.clear()
      if (deleted === 0) throw error
      const afterword = `${plural(deleted, 'object')} ${deleted === 1 ? 'is' : 'are'} removed; the same command goes on.`
      if (signal.aborted) await stderr.write(`interrupted: ${afterword}\n`)
      throw withAfterword(error, afterword)
    }
    await stdout.write(
      ` ok  ${plan.stays.length === 0 ? 'nothing of deckwatch is left' : 'all is gone but what stays'}\n`,
    )
  }
}
