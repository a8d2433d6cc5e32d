import { Args } from '@oclif/core'
import { DeckError } from '../../../core/lib/errors.ts'
import { DeckCommand } from '../../shell/deck-command.ts'
import { undoFlags } from './flags.ts'

/** `kubectl blame undo CHANGE`: how one recorded change is taken back, and with `--apply` that it is. */
export class BlameUndoCommand extends DeckCommand {
  static override readonly id = 'blame undo'
  static override readonly summary = 'Take one recorded change back'
  static override readonly description =
    "Compares the change with the object as it is today and prints the difference that takes it back, with what stands against it: fields that were changed again since, values that are not kept, a GitOps tool that would put its own state back. With --apply it is written, after a dry run by the API server whose result is shown first. A deletion is taken back by creating the object again, a creation by deleting it. Needs the companion's audit-log, the right to get the object, and with --apply to write it. CHANGE is the ID that kubectl blame -o wide shows."
  static override readonly usage = 'blame undo CHANGE [flags]'
  static override readonly args = {
    change: Args.string({ description: "a change's name: w1-1842", ignoreStdin: true }),
  }
  static override readonly flags = undoFlags
  static override readonly examples = [
    { description: 'What taking a change back would do', command: 'kubectl blame undo w1-1842' },
    { description: 'Take it back, after a look', command: 'kubectl blame undo w1-1842 --apply' },
    {
      description: 'The JSON patch, for kubectl patch --type json',
      command: 'kubectl blame undo w1-1842 -o json',
    },
  ]

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(BlameUndoCommand)
    if (!args.change) {
      throw new DeckError('USAGE', 'CHANGE is missing: which change?', {
        hint: `As in: ${this.session.calledAs} blame undo w1-1842. Names: ${this.session.calledAs} blame TYPE NAME -o wide`,
      })
    }
    // `kubectl blame` reads the flags of this class at each start, and nothing else of it.
    const { runUndo } = await import('./run-undo.ts')
    await runUndo(flags, args.change, this.session)
  }
}
