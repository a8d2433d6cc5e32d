import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const DIGESTS = ['md5', 'sha1', 'sha256']

/** Values that nobody may find again: as they are, encoded, or as a digest from which a short one can be guessed. */
export class PlantedValues {
  readonly #forms = new Map<string, string>()
  readonly #seen = new Map<string, string>()

  /** Remembers it, and gives it back. */
  plant(value: string): string {
    const add = (form: string, text: string): unknown =>
      this.#forms.set(text.toLowerCase(), `${value} (${form})`)
    add('as it is', value)
    add('base64', base64(value))
    add('base64 twice', base64(base64Padded(value)))
    add('hex', Buffer.from(value).toString('hex'))
    for (const algorithm of DIGESTS) {
      for (const [what, text] of [
        ['value', value],
        ['base64', base64Padded(value)],
      ] as const) {
        const digest = createHash(algorithm).update(text).digest()
        // Its beginning is enough to guess by.
        add(`${algorithm} of the ${what}, hex`, digest.toString('hex').slice(0, 16))
        add(`${algorithm} of the ${what}, base64`, digest.toString('base64').slice(0, 12))
      }
    }
    return value
  }

  /** What of them is in a text. */
  in(text: string): readonly string[] {
    const lower = text.toLowerCase()
    return [...this.#forms].flatMap(([form, name]) => (lower.includes(form) ? [name] : []))
  }

  /** What of them is in bytes, also in what is compressed on its own. */
  inBytes(bytes: Buffer): readonly string[] {
    return textsOf(bytes).flatMap((text) => this.in(text))
  }

  /** What of them is in the files of a folder that are new or other than before, also in what is compressed on its own. */
  inFolder(folder: string): readonly string[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      if (!entry.isFile()) return []
      const path = join(entry.parentPath, entry.name)
      const bytes = readOrNothing(path)
      const version = createHash('sha1').update(bytes).digest('hex')
      if (this.#seen.get(path) === version) return []
      this.#seen.set(path, version)
      return this.inBytes(bytes).map((found) => `${path}: ${found}`)
    })
  }
}

function base64(value: string): string {
  return base64Padded(value).replace(/=+$/, '')
}

function base64Padded(value: string): string {
  return Buffer.from(value).toString('base64')
}

/** A file may be taken away at any moment. */
function readOrNothing(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}

function textsOf(bytes: Buffer): readonly string[] {
  const texts = [bytes.toString('latin1')]
  for (let at = bytes.indexOf(ZSTD_MAGIC); at >= 0; at = bytes.indexOf(ZSTD_MAGIC, at + 1)) {
    try {
      texts.push(zstdDecompressSync(bytes.subarray(at)).toString('latin1'))
    } catch {
      // Compressed with a dictionary, or no frame at all: the store is read by its own means.
    }
  }
  return texts
}
