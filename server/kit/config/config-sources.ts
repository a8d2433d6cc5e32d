/** A value as text and where it stands; the source is part of each message about it. */
export interface GivenValue {
  readonly name: string
  readonly value: string
  /** `flag`, `env DECKWATCH_DATA`, `file /etc/deckwatch/config.yaml`. */
  readonly source: string
}

/** What the words of a command line say. */
export interface CommandLine {
  readonly flags: readonly GivenValue[]
  /** Words that are no flags. */
  readonly words: readonly string[]
  /** Flags that need a value and have none. */
  readonly valueless: readonly string[]
}

/** Takes flags (`--name value`, `--name=value`, switches without a value) and words apart; `--` ends the flags. */
export function readArguments(argv: readonly string[], isSwitch: (name: string) => boolean): CommandLine {
  const flags: GivenValue[] = []
  const words: string[] = []
  const valueless: string[] = []
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      words.push(...rest.splice(0))
    } else if (!word.startsWith('-') || word === '-') {
      words.push(word)
    } else {
      const [, name = '', inline] = /^-{1,2}([^=]*)(?:=([^]*))?$/.exec(word) ?? []
      const switched = isSwitch(name) ? 'true' : undefined
      const next = inline ?? switched ?? (rest[0]?.startsWith('--') ? undefined : rest.shift())
      if (next === undefined) valueless.push(name)
      else flags.push({ name, value: next, source: 'flag' })
    }
  }
  return { flags, words, valueless }
}

/** The values of a configuration file that was read as YAML, lists joined by commas; sentences of what is wrong with it. */
export function readFileValues(
  content: unknown,
  path: string,
): { readonly values: readonly GivenValue[]; readonly problems: readonly string[] } {
  const source = `file ${path}`
  if (content === null) return { values: [], problems: [] }
  if (typeof content !== 'object' || Array.isArray(content)) {
    return { values: [], problems: [`the ${source} is no mapping of settings`] }
  }
  const values: GivenValue[] = []
  const problems: string[] = []
  for (const [name, value] of Object.entries(content)) {
    const items: unknown[] = Array.isArray(value) ? value : [value ?? '']
    if (items.every((item) => ['string', 'number', 'boolean'].includes(typeof item))) {
      values.push({ name, value: items.map(String).join(','), source })
    } else {
      problems.push(`--${name}: a text, number, true or false, or a list of such (from ${source})`)
    }
  }
  return { values, problems }
}
