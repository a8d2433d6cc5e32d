import { DeckError } from '../../../core/lib/errors.ts'
import { DeckCommand } from '../../shell/deck-command.ts'

/** `kubectl images check`: announced, and refused clearly until it exists. */
export class ImagesCheckCommand extends DeckCommand {
  static override readonly id = 'images check'
  static override readonly summary =
    'Which images can no longer be pulled, why, and what to do (not in this version yet)'
  static override readonly strict = false
  static override readonly flags = {}

  override async run(): Promise<never> {
    throw new DeckError('NOT_YET', 'kubectl images check is not in this version yet', {
      hint: `To look for pods or images named "check": ${this.session.calledAs} images -- check`,
    })
  }
}
