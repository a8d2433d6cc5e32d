import type { ActorType, ChangeOperation, ChangeState, FieldChange } from '../../../src/core/wire/change.ts'

/** Numbers for words, as the tables hold them: places are never changed, only added. */
export class Codes<Word extends string> {
  readonly #words: readonly Word[]
  readonly #codes: ReadonlyMap<string, number>

  constructor(words: readonly Word[]) {
    this.#words = words
    this.#codes = new Map(words.map((word, code) => [word, code]))
  }

  /** Throws a RangeError for a word that has none. */
  code(word: Word): number {
    const code = this.#codes.get(word)
    if (code === undefined) throw new RangeError(`"${word}" has no code`)
    return code
  }

  /** Undefined for what is none of the words. */
  find(text: string): number | undefined {
    return this.#codes.get(text)
  }

  /** Throws a RangeError for a number that stands for none. */
  word(code: number): Word {
    const word = this.#words[code]
    if (word === undefined) throw new RangeError(`${code} stands for nothing`)
    return word
  }
}

/** States; the first two are those that may still be decided, which an index relies on. */
export const STATES = new Codes<ChangeState>([
  'pending',
  'admitted',
  'confirmed',
  'unattributed',
  'ambiguous',
  'superseded',
  'not-landed',
])

/** Operations on objects. */
export const OPERATIONS = new Codes<ChangeOperation>(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'])

/** Kinds of accounts; `person` is 0, which an index relies on. */
export const ACTORS = new Codes<ActorType>(['person', 'service-account', 'node', 'control-plane', 'unknown'])

/** Operations on fields. */
export const FIELD_OPERATIONS = new Codes<FieldChange['op']>(['add', 'remove', 'replace'])

/** Whether it may still turn out what became of a change in this state. */
export function mayBeDecided(state: ChangeState): boolean {
  return state === 'pending' || state === 'admitted'
}

/** Whether a change in this state was made, as far as is known. */
export function hasLanded(state: ChangeState): boolean {
  switch (state) {
    case 'confirmed':
    case 'admitted':
    case 'unattributed':
    case 'ambiguous':
      return true
    case 'pending':
    case 'superseded':
    case 'not-landed':
      return false
  }
}
