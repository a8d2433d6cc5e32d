import { Args, Flags } from '@oclif/core'
import { DeckError } from '../../../core/lib/errors.ts'
import { connectionFlags } from '../../shell/connection-flags.ts'
import { DeckCommand } from '../../shell/deck-command.ts'

/** `kubectl images history IMAGE`: when an image came into use and went out of it, and with which pod. */
export class ImagesHistoryCommand extends DeckCommand {
  static override readonly id = 'images history'
  static override readonly summary = 'When an image came into use and went out of it, and with which pod'
  static override readonly description =
    'IMAGE may be written as in a pod spec or in full: nginx:1.25 and docker.io/library/nginx:1.25 are the same image. Without a tag, every tag of it is meant. In one namespace, rows tell when the first pod there began to use it (+) and the last one ceased to (-); with -A, in the whole cluster. Needs the companion (kubectl deckwatch install) and the right to list imageevents.deckwatch.dev and pods.'
  static override readonly usage = 'images history IMAGE [flags]'
  static override readonly args = {
    image: Args.string({
      description: 'an image reference; without a tag, all tags',
      ignoreStdin: true,
    }),
  }
  static override readonly flags = {
    'all-namespaces': Flags.boolean({ char: 'A', summary: 'in and out of use in the whole cluster' }),
    namespace: Flags.string({
      char: 'n',
      helpValue: 'NAME',
      summary: "namespace to look in (default: the context's)",
    }),
    since: Flags.string({
      helpValue: 'TIME',
      summary: 'only what happened since then (2h, 7d, 2026-11-21T02:00:00Z)',
    }),
    limit: Flags.integer({ min: 1, helpValue: 'N', summary: 'only the newest N changes' }),
    output: Flags.string({
      char: 'o',
      helpValue: 'FORMAT',
      summary: 'table, wide, json, yaml, csv, name, jsonpath=TEMPLATE or custom-columns=SPEC',
    }),
    'no-headers': Flags.boolean({ summary: 'no header and no closing line' }),
    debug: Flags.boolean({ summary: 'show the stack of an error' }),
    help: Flags.boolean({ char: 'h', summary: 'show this' }),
    version: Flags.boolean({ summary: 'print the version' }),
    ...connectionFlags,
  }
  static override readonly examples = [
    {
      description: 'When nginx:1.25 came and went in namespace shop',
      command: 'kubectl images history nginx:1.25 -n shop',
    },
    {
      description: 'Every tag of an image in the last week, anywhere',
      command: 'kubectl images history ghcr.io/acme/web -A --since 7d',
    },
  ]

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImagesHistoryCommand)
    if (!args.image) {
      throw new DeckError('USAGE', 'IMAGE is missing: the history of which image?', {
        hint: `As in: ${this.session.calledAs} images history nginx:1.25. See: ${this.session.calledAs} images history --help`,
      })
    }
    // `kubectl images` reads the flags of this class at each start, and nothing else of it.
    const { runHistory } = await import('./run-history.ts')
    await runHistory(flags, args.image, this.session)
  }
}
