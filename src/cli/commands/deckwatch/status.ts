import { findProblems, findWarnings } from '../../features/deckwatch/status-problems.ts'
import { readStatus } from '../../features/deckwatch/read-status.ts'
import { statusLines } from '../../features/deckwatch/status-lines.ts'
import type { CompanionReport } from '../../features/deckwatch/companion-report.ts'
import { renderLabelledLines } from '../../render/labelled-lines.ts'
import { createPalette, type ColorMode } from '../../render/palette.ts'
import { renderJson, renderYaml } from '../../render/structured.ts'
import { DeckCommand } from '../../shell/deck-command.ts'
import { VERSION } from '../../shell/version.ts'
import { withCluster } from './cluster-session.ts'
import { statusFlags } from './flags.ts'

const MARKS = {
  well: {},
  past: { mark: '-', style: 'warn' },
  bad: { mark: '!', style: 'bad' },
} as const

/** `kubectl deckwatch status`: what of the companion is healthy, and how to mend what is not. */
export class StatusCommand extends DeckCommand {
  static override readonly id = 'status'
  static override readonly summary = 'What of the companion is healthy, and how to mend what is not'
  static override readonly description =
    'Exit code 0 where nothing is to be mended now, 1 where something is (lines with !), 3 where it could not be found out. What went wrong within the last hour and is over has a line with - and does not change the exit code. What you may not see is named and left out.'
  static override readonly usage = 'status [flags]'
  static override readonly flags = statusFlags
  static override readonly examples = [
    { description: 'How the companion does', command: 'kubectl deckwatch status' },
    { description: 'All that was found, for a program', command: 'kubectl deckwatch status -o json' },
  ]

  override async run(): Promise<void> {
    const { flags } = await this.parse(StatusCommand)
    const { session } = this
    const report = await withCluster(flags, session, async ({ cluster, connection, progress }) => {
      progress.update('asking the companion')
      const query = {
        namespace: flags.namespace,
        ownNamespace: connection.namespace,
        cliVersion: VERSION,
      }
      const { troubles, home, ...facts } = await readStatus(cluster, query, session.signal)
      const found = { ...facts, troubles, ...(home === undefined ? {} : { home }) }
      const now = session.clock.now()
      const problems = findProblems(found, now)
      return { ...facts, problems, warnings: findWarnings(found, now) } satisfies CompanionReport
    })
    await this.#print(report, flags.output, flags.color as ColorMode)
    if (report.problems.length > 0) process.exitCode = 1
    else if (report.api.answers === undefined) process.exitCode = 3
  }

  async #print(report: CompanionReport, output: string | undefined, color: ColorMode): Promise<void> {
    const { stdout, clock, environment } = this.session
    if (output !== undefined) {
      const chunks = output === 'json' ? renderJson(report) : renderYaml(report)
      for await (const chunk of chunks) await stdout.write(chunk)
      return
    }
    const palette = await createPalette({ color, isTTY: stdout.isTerminal, env: environment })
    const lines = statusLines(report, clock.now()).map(({ label, text, level, mend }) => ({
      label,
      text,
      ...MARKS[level],
      ...(mend === undefined ? {} : { addition: `${level === 'past' ? 'more' : 'mend'}: ${mend}` }),
    }))
    for (const line of renderLabelledLines(lines, palette)) await stdout.write(line)
  }
}
