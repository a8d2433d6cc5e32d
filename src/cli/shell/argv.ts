import { DeckError } from '../../core/lib/errors.ts'

/** What reading a command line needs to know of a flag; oclif's flag definitions have this shape. */
export interface FlagShape {
  readonly type: 'boolean' | 'option'
  readonly char?: string | undefined
  readonly multiple?: boolean | undefined
}

/** A command line taken apart: flags in one spelling each, and the words that are no flags. */
export interface ReadArgv {
  /** `--name`, with its value as the next one; unknown flags stand as they were written. */
  readonly flags: readonly string[]
  readonly words: readonly string[]
  /** How many of the words, counted from the end, stand after `--` and are therefore never sub-commands. */
  readonly literalWords: number
}

/**
 * Reads a command line as kubectl's parser (spf13/pflag) does where oclif's differs: a repeated flag's last value
 * counts, `--flag=false` works for switches, and words may stand anywhere among the flags. A flag without its value is
 * a DeckError USAGE.
 */
export function readArgv(argv: readonly string[], shapes: Readonly<Record<string, FlagShape>>): ReadArgv {
  const flags = new Map<string, string[]>()
  const words: string[] = []
  const set = (name: string, value: string): void => {
    const shape = shapes[name]
    if (shape?.type === 'boolean') flags.set(name, isFalse(value) ? [] : [`--${name}`])
    else flags.set(name, [...(shape?.multiple ? (flags.get(name) ?? []) : []), `--${name}`, value])
  }
  let literalWords = 0
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i] ?? ''
    if (token === '--') {
      literalWords = argv.length - i - 1
      words.push(...argv.slice(i + 1))
      break
    }
    if (!token.startsWith('-') || token === '-') {
      words.push(token)
      continue
    }
    const known = readFlag(token, shapes)
    if (known === undefined) {
      flags.set(token, [token])
      continue
    }
    for (const name of known.switches) set(name, 'true')
    if (known.name === undefined) continue
    if (known.value !== undefined) set(known.name, known.value)
    else if (i + 1 < argv.length) set(known.name, argv[++i] ?? '')
    else {
      const char = shapes[known.name]?.char
      throw new DeckError('USAGE', `--${known.name}${char ? ` (-${char})` : ''} needs a value`)
    }
  }
  return { flags: [...flags.values()].flat(), words, literalWords }
}

/** One token of a command line that is a flag, or several short ones. */
export interface KnownFlag {
  /** Short switches that stood before the flag in one token: the `A` of `-An`. */
  readonly switches: readonly string[]
  /** The flag that takes a value, or an explicit boolean. */
  readonly name?: string
  /** Undefined: the value is the next token. */
  readonly value?: string
}

/** Reads one token as a flag; undefined where it is none that is known. */
export function readFlag(token: string, shapes: Readonly<Record<string, FlagShape>>): KnownFlag | undefined {
  if (token.startsWith('--')) return readLong(token, shapes)
  return token.startsWith('-') && token !== '-' ? readShort(token, shapes) : undefined
}

function readLong(token: string, shapes: Readonly<Record<string, FlagShape>>): KnownFlag | undefined {
  const equals = token.indexOf('=')
  const name = token.slice(2, equals < 0 ? undefined : equals)
  const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined
  if (!shape) return undefined
  if (equals >= 0) return { switches: [], name, value: token.slice(equals + 1) }
  return shape.type === 'boolean' ? { switches: [name] } : { switches: [], name }
}

function readShort(token: string, shapes: Readonly<Record<string, FlagShape>>): KnownFlag | undefined {
  const switches: string[] = []
  for (let i = 1; i < token.length; i++) {
    const [name, shape] = Object.entries(shapes).find(([, { char }]) => char === token[i]) ?? []
    if (name === undefined || shape === undefined) return undefined
    const rest = token.slice(i + 1).replace(/^=/, '')
    if (shape.type === 'option')
      return token.length > i + 1 ? { switches, name, value: rest } : { switches, name }
    if (token[i + 1] === '=') return { switches, name, value: rest }
    switches.push(name)
  }
  return { switches }
}

// What Go's strconv.ParseBool reads as false.
function isFalse(value: string): boolean {
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)
}
