/** Beyond this many strings the table starts anew: a stream that lives for weeks sees names without end. */
const MAX_STRINGS = 16_384

/** Gives equal strings as one string object: 10,000 pods share some hundred images, nodes and namespaces. */
export class StringTable {
  readonly #strings = new Map<string, string>()

  /** The string that these bytes are in UTF-8. */
  fromBytes(bytes: Buffer, start: number, end: number): string {
    return start === end ? '' : this.fromText(bytes.toString('utf8', start, end))
  }

  /** The shared copy of a string. */
  fromText(text: string): string {
    const known = this.#strings.get(text)
    if (known !== undefined) return known
    if (this.#strings.size >= MAX_STRINGS) this.#strings.clear()
    this.#strings.set(text, text)
    return text
  }
}
