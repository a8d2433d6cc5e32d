/** What the reference tells of a flag, as oclif's flag objects hold it. */
interface Flag {
  readonly char?: string
  readonly summary?: string
  readonly helpValue?: string | string[]
  readonly helpGroup?: string
  readonly options?: readonly string[]
  readonly hidden?: boolean
  readonly multiple?: boolean
  readonly default?: unknown
  readonly type: 'boolean' | 'option'
}

/** The part of an oclif command class that the reference is made from. */
export interface DocumentedCommand {
  readonly summary?: string | undefined
  readonly description?: string | undefined
  readonly args: Readonly<Record<string, { readonly description?: string; readonly required?: boolean }>>
  readonly flags: Readonly<Record<string, Flag>>
  readonly examples?: readonly unknown[] | undefined
}

/** The Markdown reference of one plugin: its command and sub-commands, each by the words that call it. */
export function commandReference(commands: ReadonlyMap<string, DocumentedCommand>): string {
  const sections = [...commands].map(([words, command]) => section(words, command))
  return `<!-- Made by \`npm run docs\` from the commands themselves; a test fails when the two differ. -->\n\n${sections.join('\n')}`
}

function section(words: string, { summary, description, args, flags, examples }: DocumentedCommand): string {
  const usage = Object.entries(args).map(([name, { required }]) =>
    required ? ` ${name.toUpperCase()}` : ` [${name.toUpperCase()}]`,
  )
  const shown = Object.entries(flags).filter(([, { hidden }]) => !hidden)
  const groups = Map.groupBy(shown, ([, { helpGroup }]) => helpGroup ?? '')
  const blocks = [
    `# kubectl ${words}\n`,
    sentence(summary),
    sentence(description),
    `\`\`\`\nkubectl ${words}${usage.join('')}${shown.length > 0 ? ' [flags]' : ''}\n\`\`\`\n`,
    table(
      'argument',
      Object.entries(args).map(([name, arg]) => [`\`${name.toUpperCase()}\``, arg.description ?? '']),
    ),
    ...[...groups].map(([group, members]) =>
      table(
        group === '' ? 'flag' : `${group} flag`,
        members.map(([name, flag]) => [spelling(name, flag), meaning(flag)]),
      ),
    ),
    exampleBlock(examples ?? []),
  ]
  return blocks.filter((block) => block !== '').join('\n')
}

function sentence(text: string | undefined): string {
  return text ? `${text}${text.endsWith('.') ? '' : '.'}\n` : ''
}

function spelling(name: string, { char, type, helpValue, options }: Flag): string {
  const values = options?.join('|') ?? [helpValue ?? 'VALUE'].flat().join(' ')
  const value = type === 'boolean' ? '' : `=${values}`
  return `${char === undefined ? '' : `\`-${char}\`, `}\`--${name}${value}\``
}

function meaning({ summary = '', multiple, default: value }: Flag): string {
  const whole = multiple && !summary.includes('repeated') ? `${summary}; may be repeated` : summary
  return typeof value === 'string' ? `${whole} (default: ${value})` : whole
}

function table(head: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return ''
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
  const lines = rows.map(([name, text]) => `| ${cell(name)} | ${cell(text)} |\n`)
  return `| ${head} | meaning |\n|---|---|\n${lines.join('')}`
}

function exampleBlock(examples: readonly unknown[]): string {
  const lines = examples.flatMap((example) =>
    typeof example === 'object' && example !== null && 'command' in example && 'description' in example
      ? [`# ${String(example.description)}\n${String(example.command)}\n`]
      : [],
  )
  return lines.length > 0 ? `\`\`\`sh\n${lines.join('\n')}\`\`\`\n` : ''
}
