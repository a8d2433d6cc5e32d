import { Args } from '@oclif/core'
import { DeckCommand } from '../../shell/deck-command.ts'
import { blameFlags } from './flags.ts'

/** `kubectl blame [TYPE [NAME…]]`: who changed what of an object, and when. */
export class BlameCommand extends DeckCommand {
  static override readonly id = 'blame'
  static override readonly summary = 'Who changed what of an object, and when'
  static override readonly description =
    'Names the person behind each change, with the fields that differ and the tool it was made with, and says when nobody was recording. That needs the companion with its audit-log (kubectl deckwatch install --components audit-log); without it the managedFields of objects tell which field manager wrote which fields, and when last. TYPE is what kubectl get takes: plural, singular, short name, TYPE.GROUP, TYPE.VERSION.GROUP. Without TYPE: the latest changes over the cluster. Needs the right to get (or list) the objects whose changes are asked for.'
  static override readonly usage = ['blame [flags]', 'blame TYPE [NAME…] [flags]', 'blame TYPE/NAME… [flags]']
  static override readonly strict = false
  static override readonly args = {
    type: Args.string({
      description: 'a resource type, or TYPE/NAME',
      // Else oclif takes what stands in a pipe for it, and eats the input of `while read`.
      ignoreStdin: true,
    }),
    name: Args.string({ description: 'names of objects; deleted ones too', ignoreStdin: true }),
  }
  static override readonly flags = blameFlags
  static override readonly examples = [
    { description: 'The latest changes of a deployment', command: 'kubectl blame deployment web' },
    {
      description: 'The deployment as it is now, with a name and a time at each line',
      command: 'kubectl blame deployment web -f yaml',
    },
    {
      description: 'What exactly changed since yesterday',
      command: 'kubectl blame deploy/web -f diff --since 24h',
    },
    { description: 'Each deployment with its latest change', command: 'kubectl blame deployment -A' },
    { description: 'What people did over the whole cluster', command: 'kubectl blame --manual --since 2h' },
    {
      description: 'Who changed the image',
      command: 'kubectl blame deploy web --field containers[app].image',
    },
    {
      description: 'A file that kubectl get -o yaml --show-managed-fields wrote',
      command: 'kubectl blame -i web.yaml',
    },
  ]

  override async run(): Promise<void> {
    const { flags } = await this.parse(BlameCommand)
    // Not the words that oclif gives: it sorts them by where each text stands first, be it as a flag's value, and
    // `deploy shop -n shop` would be `shop deploy`.
    const words = this.argv.slice(this.argv.indexOf('--') + 1)
    // Help and completion read the flags of this class, and nothing else of it.
    const { runBlame } = await import('./run-blame.ts')
    await runBlame(flags, words, this.session)
  }
}
