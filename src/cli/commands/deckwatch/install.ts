import { prometheusRule } from '../../../../server/deploy/alerts.ts'
import { AUDIT_DASHBOARD } from '../../../../server/deploy/dashboard.ts'
import { manifests, ValuesError, type DeployValues } from '../../../../server/deploy/index.ts'
import { parseDuration } from '../../../core/lib/time.ts'
import { install } from '../../features/deckwatch/install.ts'
import { closingLine, dryRunLine, introLines, type Intro } from '../../features/deckwatch/install-lines.ts'
import { EMERGENCY_EXIT } from '../../features/deckwatch/installation.ts'
import { KINDS, spokenName } from '../../features/deckwatch/kinds.ts'
import { decideValues, planInstall, type InstallPlan } from '../../features/deckwatch/plan-install.ts'
import { EMERGENCY_WEBHOOK_EXIT } from '../../features/deckwatch/recording.ts'
import { renderLabelledLines } from '../../render/labelled-lines.ts'
import { createPalette, type ColorMode, type Palette } from '../../render/palette.ts'
import { renderJson, renderYaml } from '../../render/structured.ts'
import { DeckCommand } from '../../shell/deck-command.ts'
import { visible } from '../../../core/lib/text.ts'
import { clusterName, withAfterword, withCluster, type ClusterSession } from './cluster-session.ts'
import { confirm, requireTerminal } from './confirm.ts'
import { installFlags } from './flags.ts'
import { chosenValues, LATER_COMPONENTS, valuesError } from './values.ts'

/** `kubectl deckwatch install`: brings the companion, or upgrades it in place. */
export class InstallCommand extends DeckCommand {
  static override readonly id = 'install'
  static override readonly summary = 'Bring the companion into the cluster, or upgrade it in place'
  static override readonly description =
    'Says what it brings and which rights, asks, and applies every object on the server side, so that a second run changes nothing. The API group is registered last, when the API server has been seen to reach the pod, and is removed again where it does not answer within a minute: while a registered group does not answer, a cluster can delete no namespace. Needs the rights of a cluster administrator.'
  static override readonly usage = 'install [flags]'
  static override readonly flags = installFlags
  static override readonly examples = [
    { description: 'Bring the image graph', command: 'kubectl deckwatch install' },
    { description: 'Try it without writing anything', command: 'kubectl deckwatch install --dry-run' },
    {
      description: 'Record changes too: who changed what, for kubectl blame',
      command: 'kubectl deckwatch install --components image-graph,audit-log',
    },
    {
      description: 'An API that stays while nodes are drained, and a larger volume',
      command: 'kubectl deckwatch install --api-replicas 2 --set storage.size=20Gi',
    },
    {
      description: 'Alerts for the Prometheus Operator: recording has stopped, is falling behind',
      command: 'kubectl deckwatch install --print alerts | kubectl apply -f -',
    },
    {
      description: 'The manifests, for a repository',
      command: 'kubectl deckwatch install --storage pvc -o yaml',
    },
  ]

  override async run(): Promise<void> {
    const { flags } = await this.parse(InstallCommand)
    const timeoutMs = parseDuration(flags.timeout)
    const choice = await chosenValues(flags)
    if (flags.print !== undefined) return this.#printWatch(choice.values, flags.print)
    // With a storage chosen there is nothing to ask a cluster for.
    if (flags.output !== undefined && choice.given.has('storage.type')) {
      return this.#printManifests(choice.values, flags.output)
    }
    if (!flags.yes && !flags['dry-run'] && flags.output === undefined) {
      await requireTerminal(this.session, 'Give --yes, or look first with --dry-run.')
    }
    try {
      await withCluster(flags, this.session, async (session) => {
        const { cluster, connection, progress } = session
        const { signal } = this.session
        if (flags.output !== undefined) {
          const decided = await decideValues(cluster, choice, signal).catch((error: unknown) => {
            throw withAfterword(error, 'With --storage no cluster is asked for manifests.')
          })
          return this.#printManifests(decided.values, flags.output, decided.warnings)
        }
        progress.update('looking at the cluster')
        const plan = await planInstall(cluster, choice, signal)
        progress.clear()
        const palette = await createPalette({
          color: flags.color as ColorMode,
          isTTY: this.session.stdout.isTerminal,
          env: this.session.environment,
        })
        await this.#printIntro(
          plan,
          { clusterName: clusterName(connection), later: LATER_COMPONENTS, inFull: flags['dry-run'] },
          palette,
        )
        if (flags['dry-run']) return this.#printDryRun(plan)
        if (!flags.yes) await confirm(this.session, 'Go on?')
        await this.#install(session, plan, { timeoutMs, wait: flags.wait }, palette)
      })
    } catch (error) {
      throw error instanceof ValuesError ? valuesError(error) : error
    }
  }

  async #printManifests(
    values: DeployValues,
    format: string,
    warnings: readonly string[] = [],
  ): Promise<void> {
    const { stdout, stderr } = this.session
    for (const warning of warnings) await stderr.write(`warning: ${visible(warning)}\n`)
    const items = manifests(values).map(({ object }) => object)
    if (format === 'json') {
      for (const chunk of renderJson({ apiVersion: 'v1', kind: 'List', items })) await stdout.write(chunk)
      return
    }
    for (const object of items) {
      await stdout.write('---\n')
      for await (const chunk of renderYaml(object)) await stdout.write(chunk)
    }
  }

  async #printWatch(values: DeployValues, what: string): Promise<void> {
    const chunks = what === 'alerts' ? renderYaml(prometheusRule(values)) : renderJson(AUDIT_DASHBOARD)
    for await (const chunk of chunks) await this.session.stdout.write(chunk)
  }

  async #printIntro(plan: InstallPlan, intro: Intro, palette: Palette): Promise<void> {
    const lines = introLines(plan, intro)
    const shown = lines.map(({ label, text }) => ({
      label,
      text,
      style: label === 'Warning' ? ('warn' as const) : ('heading' as const),
    }))
    for (const line of renderLabelledLines(shown, palette)) await this.session.stdout.write(line)
  }

  async #printDryRun({ objects, apiService, obsolete, values }: InstallPlan): Promise<void> {
    const { stdout } = this.session
    for (const planned of [...objects, apiService]) {
      await stdout.write(`${dryRunLine(planned, values.namespace)}\n`)
    }
    for (const ref of obsolete) await stdout.write(`${spokenName(ref)} deleted (not tried)\n`)
    await stdout.write('Nothing was written.\n')
  }

  async #install(
    { cluster, progress }: ClusterSession,
    plan: InstallPlan,
    options: { readonly timeoutMs: number; readonly wait: boolean },
    palette: Palette,
  ): Promise<void> {
    const { stdout, stderr, clock, signal } = this.session
    const started = clock.now()
    const total = plan.objects.length + 1
    const ok = ` ${palette.good('ok')}  `
    let applied = 0
    let registered: boolean | undefined
    let records = false
    try {
      for await (const step of install({ cluster, clock }, plan, options, signal)) {
        if (step.type !== 'waiting') progress.clear()
        switch (step.type) {
          case 'object':
            if (step.ref.kind === KINDS.APIService) registered = step.outcome !== 'deleted'
            if (step.outcome !== 'deleted') applied += 1
            else if (step.ref.kind === KINDS.APIService) applied -= 1
            await stdout.write(`${spokenName(step.ref)} ${step.outcome}\n`)
            break
          case 'waiting':
            progress.update(`waiting for ${step.for}`)
            break
          case 'trouble':
            await stderr.write(`${visible(`${step.trouble.what}: ${step.trouble.why}`)}\n`)
            progress.update('waiting for the pod to become ready')
            break
          case 'reached':
            await stdout.write(
              step.unchecked === undefined
                ? `${ok}the API server reaches the pod (${step.milliseconds} ms)\n`
                : ` ${palette.warn('??')}  whether the API server reaches the pod: ${step.unchecked}\n`,
            )
            break
          case 'recording':
            records = true
            await stdout.write(
              step.unchecked === undefined
                ? `${ok}changes are recorded\n`
                : ` ${palette.warn('??')}  whether changes are recorded: ${step.unchecked}\n`,
            )
            break
          case 'answers':
            await stdout.write(
              `${ok}${closingLine(step.objects, step.resources, clock.now() - started)}\nEmergency exit: ${EMERGENCY_EXIT}\n`,
            )
            if (records) await stdout.write(`                ${EMERGENCY_WEBHOOK_EXIT}\n`)
        }
      }
    } catch (error) {
      progress.clear()
      if (applied === 0) throw error
      const group =
        registered === undefined
          ? `the API group is ${plan.apiService.before ? 'registered as before' : 'not registered'}`
          : registered
            ? 'the API group is registered'
            : 'its registration was taken back'
      const afterword = `${applied} of ${total} objects are applied, ${group}. The same command goes on; kubectl deckwatch uninstall takes all away.`
      if (signal.aborted) await stderr.write(`interrupted: ${afterword}\n`)
      throw withAfterword(error, afterword)
    }
  }
}
