import { DeckError } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'
import type { UndoConflict, UndoPlan } from '../../features/blame/undo-plan.ts'
import { createPalette, type ColorMode } from '../../render/palette.ts'
import { renderJson, renderYaml } from '../../render/structured.ts'
import type { Session } from '../../shell/session.ts'
import type { UndoTarget } from './undo-request.ts'
import { undoDiff, undoDocument } from './undo-text.ts'

/** Parsed flags of `kubectl blame undo`, beside those of the connection. */
export interface UndoFlags {
  readonly namespace?: string | undefined
  readonly apply: boolean
  readonly yes: boolean
  readonly force: boolean
  readonly output?: string | undefined
  readonly color: string
}

const OBSTACLES: Readonly<Record<UndoConflict['obstacle'], string>> = {
  changed: 'was changed again since',
  gone: 'it, or what it lies in, is gone',
  redacted: 'its old value is not kept',
  fixed: 'the API server lets nobody change it',
}

/** One change, and what is known of taking it back. */
export interface UndoOptions {
  readonly change: Change
  readonly today: KubernetesObject | undefined
  readonly plan: UndoPlan
  readonly target: UndoTarget
  readonly flags: UndoFlags
  readonly session: Session
}

/** What a person is told of taking one change back. */
export class UndoReport {
  readonly #options: UndoOptions

  constructor(options: UndoOptions) {
    this.#options = options
  }

  get plan(): UndoPlan {
    return this.#options.plan
  }

  /** As kubectl names it: `deployment.apps/web`. */
  get objectName(): string {
    const { type, name } = this.#options.target
    return `${type.singular}${type.group === '' ? '' : `.${type.group}`}/${name}`
  }

  /**
   * Says on stderr what stands against it and what is to be known before; whether there is something to be done. A
   * DeckError UNDO_CONFLICT where it would be written in part and nobody asked for that.
   */
  async explain(): Promise<boolean> {
    const { plan, flags, session } = this.#options
    const { conflicts, warnings } = plan
    const say = (text: string): Promise<void> => session.stderr.write(`${visible(text)}\n`)
    for (const warning of warnings) await say(`Warning: ${warning}`)
    for (const { path, obstacle } of conflicts) await say(`conflict: ${path}: ${OBSTACLES[obstacle]}`)
    if (plan.type === 'nothing') {
      await say(`There is nothing to take back: ${plan.reason}`)
      return false
    }
    if (conflicts.length > 0 && (!flags.force || plan.type !== 'patch') && flags.apply) {
      throw new DeckError(
        'UNDO_CONFLICT',
        `nothing was written: ${conflicts.length} of its fields cannot be taken back`,
        {
          hint:
            plan.type === 'patch'
              ? 'To take back the rest of it: --force.'
              : 'What is not kept must be put in by hand: -o yaml prints the rest.',
        },
      )
    }
    if (plan.type !== 'patch') return true
    for (const path of plan.already) await say(`${path} is as it was before`)
    if (plan.patch.length > 0) return true
    if (conflicts.length === 0) await say('Nothing is to be done: all of it is as it was before the change')
    else throw new DeckError('UNDO_CONFLICT', 'nothing of it can be taken back')
    return false
  }

  /** Prints the plan: the difference for people, or what kubectl takes. */
  async print(): Promise<void> {
    const { plan, flags, session, change } = this.#options
    if (plan.type === 'nothing') return
    if (flags.output === 'json' || flags.output === 'yaml') {
      const document = undoDocument(plan, change)
      const chunks = flags.output === 'json' ? renderJson(document) : renderYaml(document)
      for await (const chunk of chunks) await session.stdout.write(chunk)
    } else await this.show(undefined)
    if (plan.conflicts.length > 0) {
      throw new DeckError('UNDO_CONFLICT', 'not all of it can be taken back', {
        hint: 'To write the rest: --apply --force.',
      })
    }
    const place = flags.namespace === undefined ? '' : ` -n ${flags.namespace}`
    if (flags.output === undefined)
      await session.stderr.write(
        visible(
          `To write it: ${session.calledAs} blame undo ${change.metadata?.name ?? ''}${place} --apply`,
        ) + '\n',
      )
  }

  /** Prints the difference to today's object; `after` is what the API server would make of it. */
  async show(after: KubernetesObject | undefined): Promise<void> {
    const { plan, change, today, flags, session } = this.#options
    if (plan.type === 'nothing') return
    const { stdout, environment: env } = session
    const palette = await createPalette({ color: flags.color as ColorMode, isTTY: stdout.isTerminal, env })
    for (const chunk of undoDiff({ plan, change, today, after, objectName: this.objectName }, palette))
      await stdout.write(chunk)
  }
}
