interface Entry {
  readonly bytes: Uint8Array
  readonly text: string
  readonly next: Entry | undefined
}

/** Beyond this many entries the table starts anew: a stream that lives for weeks sees names without end. */
const MAX_ENTRIES = 16_384

/**
 * Gives equal strings as one string object: 10,000 pods share some hundred images, nodes and namespaces. Bytes
 * that were seen before are found without being decoded.
 */
export class StringTable {
  readonly #buckets: (Entry | undefined)[] = Array.from<Entry | undefined>({ length: 4096 })
  #entries = 0
  readonly #texts = new Map<string, string>()

  /** The string that these bytes are in UTF-8. */
  fromBytes(bytes: Buffer, start: number, end: number): string {
    if (start === end) return ''
    // FNV-1a; Math.imul keeps it within 32 bits.
    let hash = 0x811c9dc5
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193)
    const bucket = (hash ^ (hash >>> 15)) & (this.#buckets.length - 1)
    const head = this.#buckets[bucket]
    for (let entry = head; entry; entry = entry.next) {
      if (sameBytes(entry.bytes, bytes, start, end)) return entry.text
    }
    return this.#add(bucket, head, bytes, start, end)
  }

  /** The shared copy of a string that was decoded elsewhere. */
  fromText(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= MAX_ENTRIES) this.#texts.clear()
    this.#texts.set(text, text)
    return text
  }

  #add(bucket: number, head: Entry | undefined, bytes: Buffer, start: number, end: number): string {
    const full = this.#entries >= MAX_ENTRIES
    if (full) {
      this.#buckets.fill(undefined)
      this.#entries = 0
    }
    const text = bytes.toString('utf8', start, end)
    // A copy: a view would keep the whole network chunk alive.
    this.#buckets[bucket] = {
      bytes: Uint8Array.prototype.slice.call(bytes, start, end),
      text,
      next: full ? undefined : head,
    }
    this.#entries += 1
    return text
  }
}

function sameBytes(known: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  const length = end - start
  if (known.length !== length) return false
  for (let index = 0; index < length; index++) if (known[index] !== bytes[start + index]) return false
  return true
}
