import { DeckError } from '../../../core/lib/errors.ts'
import type { ChangeOperation, ChangeState } from '../../../core/wire/change.ts'
import { checkFields, parseInclude, type Noise, type Selection } from '../../features/blame/select.ts'
import { parseMoment } from '../../shell/moment-flag.ts'
import type { BlameLayout } from '../../render/blamed-yaml.ts'
import type { ColorMode } from '../../render/palette.ts'
import type { CompanionMode } from '../../shell/companion.ts'
import type { OutputFormat } from '../images/options.ts'

/** How the answer is written: by `-f` for people, by `-o` the Change objects themselves. */
export type BlameFormat = 'list' | 'wide' | 'patch' | 'diff' | 'yaml' | 'objects'

/** Parsed flags of `kubectl blame`, as far as they shape the answer. */
export interface BlameFlags {
  readonly 'all-namespaces': boolean
  readonly namespace?: string | undefined
  readonly format?: string | undefined
  readonly output?: string | undefined
  readonly selector?: string | undefined
  readonly 'field-selector'?: string | undefined
  readonly 'max-history'?: number | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly user?: readonly string[] | undefined
  readonly group?: readonly string[] | undefined
  readonly manager?: readonly string[] | undefined
  readonly tool?: readonly string[] | undefined
  readonly operation?: readonly string[] | undefined
  readonly state?: readonly string[] | undefined
  readonly field?: readonly string[] | undefined
  readonly manual: boolean
  readonly include?: string | undefined
  readonly consequences: boolean
  readonly reverse: boolean
  readonly watch: boolean
  readonly time?: string | undefined
  readonly above: boolean
  readonly comments: boolean
  readonly input?: string | undefined
  readonly 'no-headers': boolean
  readonly companion: string
  readonly color: string
}

/** What was asked, checked. */
export interface BlameOptions {
  readonly format: BlameFormat
  /** How objects are written, where `format` is `objects`. */
  readonly document: OutputFormat
  readonly filters: Selection
  /** Some changes of the objects are not meant. */
  readonly filtered: boolean
  /** The flags that say so, as they are written. */
  readonly filterFlags: readonly string[]
  /** The newest so many of each object, or rows of the overview; undefined: all. */
  readonly maxHistory: number | undefined
  /** It was asked for, and is no default. */
  readonly historyGiven: boolean
  /** How far back the overview looks, as it was asked for, and its beginning in epoch milliseconds. */
  readonly span: { readonly text: string; readonly since: number }
  readonly include: ReadonlySet<Noise>
  readonly consequences: boolean
  readonly reverse: boolean
  readonly watch: boolean
  readonly time: 'relative' | 'full' | 'none'
  readonly layout: BlameLayout
  readonly color: ColorMode
  readonly noHeaders: boolean
  /** A file's path, or `-`. */
  readonly input: string | undefined
  /** Undefined where it is never asked. */
  readonly companion: CompanionMode | undefined
  /** `-A`: nothing less than all namespaces. */
  readonly everywhere: boolean
}

const OPERATIONS: readonly ChangeOperation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']
const STATES: readonly ChangeState[] = [
  'pending',
  'confirmed',
  'admitted',
  'superseded',
  'not-landed',
  'unattributed',
  'ambiguous',
]

const FILTER_FLAGS = [
  'since',
  'until',
  'user',
  'group',
  'manager',
  'tool',
  'operation',
  'state',
  'field',
  'manual',
] as const

/** Newest changes of each object that are shown where nothing is said, and rows of the overview. */
const HISTORY = { named: 3, all: 1, overview: 20 } as const

const OVERVIEW_SPAN = '24h'

/** Checks the flags against each other and the words of the command line; DeckErrors USAGE name what is wrong. */
export function blameOptions(flags: BlameFlags, words: readonly string[], now: number): BlameOptions {
  const { format, document } = formats(flags)
  const layout = flags.above ? 'above' : flags.comments ? 'comment' : 'column'
  if (flags.above && flags.comments) throw usage('--above cannot be combined with --comments')
  if (layout !== 'column' && format !== 'yaml') {
    throw usage(`--${layout === 'above' ? 'above' : 'comments'} only has a meaning with -f yaml`)
  }
  const companion = flags.companion === 'never' ? undefined : (flags.companion as CompanionMode)
  if (flags.input !== undefined) refuseWithInput(flags, words)
  if (flags.watch) refuseWithWatch(flags, format, document)
  if (companion === undefined && flags.watch)
    throw usage('--watch follows the companion, which --companion=never forbids')
  if (companion === undefined && format === 'diff')
    throw usage('-f diff shows old values, which only the companion has and --companion=never forbids')
  const named = flags.input !== undefined || words.length > 1 || words.some((word) => word.includes('/'))
  if (format === 'yaml' && !named) {
    throw usage('-f yaml prints named objects', 'As in: kubectl blame deployment web -f yaml')
  }
  if (words.length === 0 && flags.input === undefined) {
    const ofType = (['selector', 'field-selector'] as const).find((name) => flags[name] !== undefined)
    if (ofType !== undefined) throw usage(`--${ofType} chooses objects of a TYPE, and none is given`)
  }
  const filters = changeFilters(flags, now)
  if (filters.since !== undefined && filters.until !== undefined && filters.since > filters.until) {
    throw usage('--since is later than --until: no change can be meant')
  }
  checkFields(filters.fields)
  const filterFlags = FILTER_FLAGS.filter((name) => {
    const value = flags[name]
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false
  }).map((name) => `--${name}`)
  if (format === 'yaml' && filterFlags.length > 0) {
    throw usage(`${filterFlags[0]} chooses changes; -f yaml names who wrote each line last`)
  }
  return {
    format,
    document,
    filters,
    filtered: filterFlags.length > 0,
    filterFlags,
    historyGiven: flags['max-history'] !== undefined,
    maxHistory: historyOf(flags, named ? 'named' : words.length > 0 ? 'all' : 'overview', filters),
    span: {
      text: flags.since ?? OVERVIEW_SPAN,
      since: filters.since ?? parseMoment('--since', OVERVIEW_SPAN, now),
    },
    include: parseInclude(flags.include),
    consequences: flags.consequences,
    reverse: flags.reverse,
    watch: flags.watch,
    time: (flags.time ?? 'relative') as BlameOptions['time'],
    layout,
    color: flags.color as ColorMode,
    noHeaders: flags['no-headers'],
    input: flags.input,
    companion: flags.input === undefined ? companion : undefined,
    everywhere: flags['all-namespaces'],
  }
}

function historyOf(flags: BlameFlags, scope: keyof typeof HISTORY, { since }: Selection): number | undefined {
  const asked = flags['max-history']
  if (asked !== undefined) return asked === 0 ? undefined : asked
  // Who names a time wants what happened in it.
  return since !== undefined && scope !== 'overview' ? undefined : HISTORY[scope]
}

function formats({ format, output }: BlameFlags): Pick<BlameOptions, 'format' | 'document'> {
  const json = { type: 'json' } as const
  if (output === undefined) {
    const asked = format ?? 'list'
    return { format: asked === 'json' ? 'objects' : (asked as BlameFormat), document: json }
  }
  if (output === 'wide') {
    if (format === undefined || format === 'list') return { format: 'wide', document: json }
    throw usage(`-o wide is a list that says more; it cannot be combined with -f ${format}`)
  }
  if (format !== undefined && !(format === 'json' && output === 'json')) {
    throw usage(
      `-f ${format} cannot be combined with -o: the one is for people, the other prints Change objects`,
    )
  }
  return { format: 'objects', document: documentFormat(output) }
}

function documentFormat(text: string): OutputFormat {
  const [, type, template] = /^(jsonpath|custom-columns)(?:=(.*))?$/s.exec(text) ?? []
  if (type === 'jsonpath' || type === 'custom-columns') {
    if (template) return { type, template }
    const example = type === 'jsonpath' ? '{.items[*].user.username}' : 'WHO:.user.username,WHEN:.time'
    throw usage(`-o ${type} needs a template, as in ${type}=${example}`)
  }
  if (text === 'json' || text === 'yaml' || text === 'name') return { type: text }
  throw usage(
    `-o ${JSON.stringify(text)} is no output format`,
    'Formats: json, yaml, name, wide, jsonpath=…, custom-columns=…; for people: -f list, patch, diff, yaml',
  )
}

function changeFilters(flags: BlameFlags, now: number): Selection {
  const { since, until } = flags
  return {
    since: since === undefined ? undefined : parseMoment('--since', since, now),
    until: until === undefined ? undefined : parseMoment('--until', until, now),
    users: flags.user ?? [],
    groups: flags.group ?? [],
    managers: parts(flags.manager),
    tools: parts(flags.tool),
    operations: parts(flags.operation).map((word) =>
      oneOf('--operation', word.toUpperCase(), OPERATIONS, word),
    ),
    states: parts(flags.state).map((word) => oneOf('--state', word.toLowerCase(), STATES, word)),
    fields: flags.field ?? [],
    manual: flags.manual,
  }
}

/** Values that may be repeated, or written with commas. */
function parts(values: readonly string[] | undefined): string[] {
  return (values ?? []).flatMap((value) => value.split(',')).filter((value) => value !== '')
}

function oneOf<Word extends string>(
  flag: string,
  word: string,
  words: readonly Word[],
  written: string,
): Word {
  const found = words.find((known) => known === word)
  if (found !== undefined) return found
  throw usage(`${flag} has no ${JSON.stringify(written)}`, `It takes ${words.join(', ').toLowerCase()}.`)
}

function refuseWithInput(flags: BlameFlags, words: readonly string[]): void {
  if (words.length > 0) {
    throw usage(`--input reads objects; ${JSON.stringify(words[0])} would ask a cluster for them`)
  }
  if (flags.watch) throw usage('--watch follows the companion, and --input asks no cluster')
  if (flags.format === 'diff') throw usage('-f diff shows old values, which an object does not hold')
  if (flags.companion === 'require') throw usage('--input asks no cluster, which --companion=require wants')
  const asked = (['selector', 'field-selector'] as const).find((name) => flags[name] !== undefined)
  if (asked !== undefined) throw usage(`--${asked} asks a cluster, which --input does not`)
}

function refuseWithWatch(flags: BlameFlags, format: BlameFormat, document: OutputFormat): void {
  if (flags.reverse)
    throw usage('--reverse cannot be combined with --watch, which prints changes as they come')
  if (flags.until !== undefined) throw usage('--until cannot be combined with --watch, which has no end')
  if (format !== 'list' && format !== 'wide' && !(format === 'objects' && document.type === 'json')) {
    throw usage('--watch prints lines or, with -o json, JSON lines')
  }
}

/** Without a hint: whoever runs the command points to its help, under the name it was called by. */
function usage(message: string, hint?: string): DeckError {
  return new DeckError('USAGE', message, { hint })
}
