/** A value that cannot be, or values that do not go together; the message names key, value and what is allowed. */
export class ValuesError extends Error {
  override readonly name = 'ValuesError'
  /** As in `--set KEY=…`. */
  readonly key: string

  constructor(key: string, message: string) {
    super(message)
    this.key = key
  }
}
