import { parseArgs } from 'node:util'

/** What `npm run demo -- …` was asked for. */
export interface DemoOptions {
  /** End after the last command instead of staying up. */
  readonly once: boolean
  /** A context of one's own kubeconfig in place of a local cluster. */
  readonly context: string | undefined
  /** Answers the question before anything is written to a cluster of one's own. */
  readonly yes: boolean
  /** A file that gets the commands and their output. */
  readonly record: string | undefined
  readonly help: boolean
}

/** The text of `--help`. */
export const DEMO_USAGE = `npm run demo -- [--once] [--record FILE]
npm run demo -- --context NAME [--yes] [--record FILE]

  --once          end after the last command instead of staying up until Ctrl-C
  --context NAME  show the commands on a cluster of your own, by its name in the kubeconfig; nothing is written to it,
                  unless you answer yes to the question whether the demo's shop may be put up there for a while
  --yes           answer that question with yes
  --record FILE   write the commands and their output to FILE too; where it has the lines
                  <!-- recorded:start --> and <!-- recorded:end -->, between these
`

/** Reads the arguments; throws an error that says what is wrong with them. */
export function demoOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      context: { type: 'string' },
      yes: { type: 'boolean', default: false },
      record: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.yes && values.context === undefined) throw new Error('--yes only has a meaning with --context')
  return { ...values, context: values.context, record: values.record }
}
