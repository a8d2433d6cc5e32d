import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { DictionaryRow } from './audit-tables.ts'
import { skeletonOf } from './skeleton.ts'

/** Texts up to this length (bytes) stay as they are: a frame of zstd would not be shorter. */
const PLAIN_BYTES = 140
const LEVEL = 3
/** Most records fit into one such piece; zlib allocates by it. */
const CHUNK = 4096

const PLAIN = 0
const ZSTD = 1
const ZSTD_WITH_DICTIONARY = 2

/** A dictionary of more costs time on each use (node:zlib loads it anew). */
const DICTIONARY_BYTES = 16 * 1024
/** So many records are looked at before a dictionary is made. */
const SAMPLES = 40

/**
 * Writes values as compact bytes and reads them. Small records of one class (diffs; bodies of a kind) are compressed with
 * a dictionary that is made of the first ones: of their fields' names only, so that no value outlives its record there.
 */
export class RecordCodec {
  readonly #dictionaries = new Map<number, Buffer>()
  readonly #current = new Map<string, { readonly id: number; readonly bytes: Buffer }>()
  readonly #samples = new Map<string, Sample>()

  /** Takes a dictionary into use; the latest of a class is written with. */
  use({ id, class: name, bytes }: DictionaryRow): void {
    const dictionary = Buffer.from(bytes)
    this.#dictionaries.set(id, dictionary)
    if ((this.#current.get(name)?.id ?? 0) < id) this.#current.set(name, { id, bytes: dictionary })
    this.#samples.delete(name)
  }

  /** The highest id of the dictionaries in use. */
  get lastDictionary(): number {
    return Math.max(0, ...this.#dictionaries.keys())
  }

  /** Dictionaries that enough was seen for: to be kept first, and then used. */
  ready(): readonly { readonly class: string; readonly bytes: Uint8Array }[] {
    return [...this.#samples]
      .filter(([, { seen, bytes }]) => seen >= SAMPLES || bytes >= DICTIONARY_BYTES)
      .map(([name, { texts }]) => ({
        class: name,
        bytes: Buffer.from([...texts].toReversed().join('')).subarray(0, DICTIONARY_BYTES),
      }))
  }

  encode(value: unknown, className: string): Uint8Array {
    const json = JSON.stringify(value)
    const text = Buffer.from(json)
    if (text.length <= PLAIN_BYTES) return framed([PLAIN], text)
    const dictionary = this.#current.get(className)
    const params = { [constants.ZSTD_c_compressionLevel]: LEVEL }
    const options = { params, pledgedSrcSize: text.length, chunkSize: CHUNK }
    if (!dictionary) {
      this.#sample(className, value)
      return framed([ZSTD], zstdCompressSync(text, options))
    }
    const { id, bytes } = dictionary
    return framed(
      [ZSTD_WITH_DICTIONARY, id & 0xff, id >> 8],
      zstdCompressSync(text, { ...options, dictionary: bytes }),
    )
  }

  /** Which dictionary is needed to read a record. */
  static dictionaryOf(record: Uint8Array): number | undefined {
    return record[0] === ZSTD_WITH_DICTIONARY ? (record[1] ?? 0) | ((record[2] ?? 0) << 8) : undefined
  }

  has(dictionary: number): boolean {
    return this.#dictionaries.has(dictionary)
  }

  /** Throws a RangeError for what `encode` did not write, or where the dictionary is not in use. */
  decode(record: Uint8Array): unknown {
    return JSON.parse(this.text(record)) as unknown
  }

  /** A record's JSON as text, which is as long as it takes memory; throws as `decode` does. */
  text(record: Uint8Array): string {
    const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
    switch (bytes[0]) {
      case PLAIN:
        return bytes.toString('utf8', 1)
      case ZSTD:
        return zstdDecompressSync(bytes.subarray(1)).toString()
      case ZSTD_WITH_DICTIONARY: {
        const id = RecordCodec.dictionaryOf(record) ?? 0
        const dictionary = this.#dictionaries.get(id)
        if (!dictionary) throw new RangeError(`a record needs dictionary ${id}, which is not there`)
        return zstdDecompressSync(bytes.subarray(3), { dictionary }).toString()
      }
      default:
        throw new RangeError(`a record begins with ${bytes[0]}, which means nothing`)
    }
  }

  #sample(name: string, value: unknown): void {
    const sample = this.#samples.get(name) ?? { texts: new Set<string>(), seen: 0, bytes: 0 }
    this.#samples.set(name, sample)
    sample.seen += 1
    if (sample.bytes >= DICTIONARY_BYTES) return
    const text = JSON.stringify(skeletonOf(value))
    if (sample.texts.has(text)) return
    sample.texts.add(text)
    sample.bytes += Buffer.byteLength(text)
  }
}

interface Sample {
  readonly texts: Set<string>
  seen: number
  bytes: number
}

function framed(head: readonly number[], body: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  return bytes
}
