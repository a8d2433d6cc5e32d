import { DeckError, type ErrorCode } from '../../core/lib/errors.ts'
import { visible } from '../../core/lib/text.ts'
import { findCompanion, type CompanionMode, type CompanionNeed, type CompanionSearch } from './companion.ts'
import type { Session } from './session.ts'

/** So long a companion that was remembered may take for its first answer, in milliseconds; then others are asked. */
const ANSWER_MS = 5000

const LATE: unique symbol = Symbol('late')

/** Failures of the way to the cluster: asking the API server itself would meet them too. */
const NOT_ITS_FAULT: ReadonlySet<ErrorCode> = new Set([
  'KUBE_UNREACHABLE',
  'KUBE_TLS',
  'KUBE_UNAUTHORIZED',
  'CREDENTIAL_PLUGIN',
] satisfies ErrorCode[])

/** So an API server may refuse what nobody serves any more: with 403 where the rights have gone too. */
const MAY_BE_GONE: ReadonlySet<ErrorCode> = new Set([
  'KUBE_NOT_FOUND',
  'KUBE_FORBIDDEN',
  'KUBE_UNAVAILABLE',
] satisfies ErrorCode[])

/** What asking the companion stands on. */
export interface CompanionQuestionOptions extends CompanionSearch {
  readonly stderr: Session['stderr']
  /** With `auto` whatever the companion cannot do is left to others, with `require` it fails. */
  readonly mode: CompanionMode
  readonly need: CompanionNeed
  /** What is done without it, after a semicolon: `asking the API server for pods instead`. */
  readonly instead: string
}

/** How a command asks the companion it has found, and learns that it must go on without. */
export class CompanionQuestion {
  readonly #options: CompanionQuestionOptions

  constructor(options: CompanionQuestionOptions) {
    this.#options = options
  }

  /**
   * The answer to a first question; undefined where it failed in a way that others may not, which stderr then says.
   * With `require`, what failed is thrown.
   */
  async first<T>(question: () => Promise<T>): Promise<T | undefined> {
    const { mode, memory, signal } = this.#options
    const answer = question()
    try {
      if (mode === 'require') return await answer
      const first = await this.#inTime(answer)
      if (first !== LATE) return first
      memory.forget()
      // It is not ended: a login that it waits for would end with it.
      answer.catch(() => undefined)
      await this.say(`the companion did not answer within ${ANSWER_MS / 1000} s`)
    } catch (error) {
      signal.throwIfAborted()
      if (mode === 'require') throw await this.explained(error)
      if (!(error instanceof DeckError) || NOT_ITS_FAULT.has(error.code)) throw error
      const note = await this.#reason(error)
      if (note !== undefined) await this.say(note)
    }
    return undefined
  }

  /** A better explanation of a failure where the companion is no longer there at all. */
  async explained(error: unknown): Promise<unknown> {
    if (!(error instanceof DeckError) || !MAY_BE_GONE.has(error.code)) return error
    const { memory, need } = this.#options
    memory.forget()
    try {
      await findCompanion(this.#options, need, 'require')
      return error
    } catch (absent) {
      return absent
    }
  }

  /** The companion is gone for good: it is forgotten and, where it is required, that is the end. */
  giveUp(reason: string): void {
    const { memory, mode } = this.#options
    memory.forget()
    if (mode === 'auto') return
    throw new DeckError('COMPANION_ABSENT', `the companion does not answer any more: ${reason}`, {
      hint: 'What is wrong with it: kubectl deckwatch status',
    })
  }

  /** Says on stderr why the companion is not asked, and what is done instead. */
  say(reason: string): Promise<void> {
    const { stderr, instead } = this.#options
    return stderr.write(`${visible(reason)}; ${instead}\n`)
  }

  /** Why the companion could not be asked, for a person; undefined where it has gone since it was remembered. */
  async #reason(error: DeckError): Promise<string | undefined> {
    const { memory, need } = this.#options
    memory.forget()
    if (!MAY_BE_GONE.has(error.code)) return error.message
    const finding = await findCompanion(this.#options, need, 'auto', ANSWER_MS)
    return finding.found ? error.message : finding.note
  }

  async #inTime<T>(answer: Promise<T>): Promise<T | typeof LATE> {
    const waited = new AbortController()
    const { signal, clock } = this.#options
    const limit = clock.sleep(ANSWER_MS, AbortSignal.any([signal, waited.signal]))
    try {
      return await Promise.race([answer, limit.then((): typeof LATE => LATE)])
    } finally {
      waited.abort()
    }
  }
}
