/** One DER element (X.690 §8.1): a tag, a definite length and the contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(body.length)]), body])
}

/** SEQUENCE. */
export const sequence = (...items: readonly Uint8Array[]): Buffer => element(0x30, ...items)

/** SET; the caller gives the members in DER order. */
export const set = (...items: readonly Uint8Array[]): Buffer => element(0x31, ...items)

/** A non-negative INTEGER from its big-endian octets. */
export function integer(octets: Uint8Array): Buffer {
  const first = octets.findIndex((octet) => octet !== 0)
  const digits = first === -1 ? Buffer.alloc(1) : octets.subarray(first)
  return element(0x02, ...((digits[0] ?? 0) >= 0x80 ? [Buffer.alloc(1), digits] : [digits]))
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** BOOLEAN TRUE. */
export const booleanTrue: Buffer = Buffer.from([0x01, 0x01, 0xff])

/** BIT STRING of whole octets, or of the given number of unused bits in the last one. */
export const bitString = (octets: Uint8Array, unusedBits = 0): Buffer =>
  element(0x03, Buffer.from([unusedBits]), octets)

/** OCTET STRING. */
export const octetString = (octets: Uint8Array): Buffer => element(0x04, octets)

/** UTF8String. */
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text))

/** UTCTime (years 1950 to 2049) from epoch milliseconds. */
export function utcTime(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replaceAll(/[-:T]/g, '')
  return element(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return [0x80 | octets.length, ...octets]
}

function base128(value: number): number[] {
  const octets = [value & 0x7f]
  for (let rest = value >> 7; rest > 0; rest >>= 7) octets.unshift((rest & 0x7f) | 0x80)
  return octets
}
