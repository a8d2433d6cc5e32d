import { DeckError } from '../../../core/lib/errors.ts'
import type { ImageMatch } from '../../../core/model/image-usage.ts'
import {
  parseContainerColumns,
  uniqueContainerColumns,
  type ContainerColumn,
} from '../../features/images/container-columns.ts'
import { parseRegex } from '../../features/images/regex.ts'
import { parseMoment } from '../../shell/moment-flag.ts'
import type { ViewName } from '../../features/images/views.ts'
import type { CompanionMode } from '../../shell/companion.ts'
import type { SortOrder } from './sort.ts'

/** How the answer is written. */
export type OutputFormat =
  | { readonly type: 'table' | 'wide' | 'json' | 'yaml' | 'csv' | 'name' }
  | { readonly type: 'jsonpath' | 'custom-columns'; readonly template: string }

/** Parsed flags of `kubectl images`, as far as they shape the answer. */
export interface ImagesFlags {
  readonly 'all-namespaces': boolean
  readonly by?: string | undefined
  readonly columns?: string | undefined
  readonly unique: boolean
  readonly output?: string | undefined
  readonly match?: string | undefined
  readonly 'sort-by'?: string | undefined
  readonly reverse: boolean
  readonly follow: boolean
  readonly verbose: boolean
  readonly 'no-initial': boolean
  readonly 'no-headers': boolean
  readonly 'running-only': boolean
  readonly selector?: string | undefined
  readonly 'field-selector'?: string | undefined
  readonly since?: string | undefined
  readonly companion: string
}

/** What was asked, checked. */
export interface ImagesOptions {
  readonly view: ViewName
  /** Set where kubectl-images' own rows were asked for (`-c`, `-u`). */
  readonly containerColumns: readonly ContainerColumn[] | undefined
  /** Each combination of the container columns once. */
  readonly unique: boolean
  readonly format: OutputFormat
  readonly match: ImageMatch | undefined
  readonly sort: SortOrder
  /** Epoch milliseconds: the recorded changes since then are asked for. */
  readonly since: number | undefined
  /** How the companion is to be asked; undefined where pods are asked in any case. */
  readonly companion: CompanionMode | undefined
}

/** Checks the flags that depend on one another; a DeckError USAGE names the flag and what it takes. */
export function imagesOptions(flags: ImagesFlags, regex: string | undefined, now: number): ImagesOptions {
  const format = outputFormat(flags.output)
  const byContainer = flags.columns !== undefined || flags.unique
  if (byContainer && flags.by !== undefined && flags.by !== 'container') {
    throw usage(`--by ${flags.by} cannot be combined with --columns or --unique, whose rows are by container`)
  }
  if (flags.follow || flags.since !== undefined) refuseWithStream(flags, format)
  if (!flags.follow && (flags.verbose || flags['no-initial'])) {
    throw usage(`${flags.verbose ? '--verbose' : '--no-initial'} only has a meaning with --follow`)
  }
  if (flags.match !== undefined && regex === undefined) throw usage('--match only has a meaning with a REGEX')
  const match = regex === undefined ? undefined : { pattern: parseRegex(regex), on: matchOn(flags.match) }
  return {
    view: byContainer ? 'container' : ((flags.by ?? 'image') as ViewName),
    containerColumns:
      flags.columns !== undefined
        ? parseContainerColumns(flags.columns)
        : flags.unique
          ? uniqueContainerColumns(flags['all-namespaces'])
          : undefined,
    unique: flags.unique,
    format,
    match,
    sort: { by: flags['sort-by'], reverse: flags.reverse },
    since: flags.since === undefined ? undefined : parseMoment('--since', flags.since, now),
    companion: companionMode(flags, format, match),
  }
}

function companionMode(
  flags: ImagesFlags,
  format: OutputFormat,
  match: ImageMatch | undefined,
): CompanionMode | undefined {
  const { since, companion } = flags
  if (companion === 'never') {
    if (since === undefined) return undefined
    throw usage('--since asks the companion, which --companion=never forbids')
  }
  const onlyPods = whatOnlyPodsTell(flags, format, match)
  if (onlyPods === undefined) return since === undefined ? (companion as CompanionMode) : 'require'
  if (since !== undefined) throw usage(`--since cannot be combined with ${onlyPods}: only pods tell that`)
  if (companion === 'auto') return undefined
  throw usage(`--companion=require cannot be combined with ${onlyPods}: only pods tell that`)
}

/** The part of the question that the companion cannot answer, or not exactly as pods do; undefined where it can. */
function whatOnlyPodsTell(
  flags: ImagesFlags,
  format: OutputFormat,
  match: ImageMatch | undefined,
): string | undefined {
  const { by, follow, since } = flags
  const asked = (['selector', 'field-selector', 'columns'] as const).find((name) => flags[name] !== undefined)
  if (asked !== undefined) return `--${asked}`
  const set = (['running-only', 'unique', 'verbose'] as const).find((name) => flags[name])
  if (set !== undefined) return `--${set}`
  if (by !== undefined && by !== 'image') return `--by ${by}`
  // Its workloads are read from names, where -o wide looks them up.
  if (format.type === 'wide') return '-o wide'
  if (!match) return undefined
  // A record of the past names the pod that made the difference.
  if (since !== undefined && !follow) return undefined
  if (match.on !== 'image') return 'a REGEX for pods (without --match image)'
  // How many pods use at least one of several images, no sum of theirs tells.
  const saysTotals = format.type === 'table' && !flags['no-headers']
  return follow || !saysTotals ? undefined : 'a REGEX above the line of totals (without --no-headers)'
}

function refuseWithStream(flags: ImagesFlags, format: OutputFormat): void {
  const stream = flags.follow ? '--follow' : '--since'
  const refused = (['by', 'columns', 'sort-by'] as const).find((name) => flags[name] !== undefined)
  if (refused !== undefined || flags.unique || flags.reverse) {
    throw usage(
      `--${refused ?? (flags.unique ? 'unique' : 'reverse')} cannot be combined with ${stream}, which prints a stream of lines`,
    )
  }
  if (flags.verbose && format.type === 'json') {
    throw usage('--verbose adds lines of pods and users; -o json has the events of images only')
  }
  if (format.type !== 'table' && format.type !== 'json') {
    throw usage(`${stream} prints lines or, with -o json, JSON lines; it has no -o ${format.type}`)
  }
}

const FORMATS = new Map<string, 'table' | 'wide' | 'json' | 'yaml' | 'csv' | 'name'>([
  ['table', 'table'],
  ['t', 'table'],
  ['wide', 'wide'],
  ['json', 'json'],
  ['j', 'json'],
  ['yaml', 'yaml'],
  ['y', 'yaml'],
  ['csv', 'csv'],
  ['name', 'name'],
])

/** Reads `-o`; a DeckError USAGE names the formats there are. */
export function outputFormat(text = 'table'): OutputFormat {
  const [, type, template] = /^(jsonpath|custom-columns)(?:=(.*))?$/s.exec(text) ?? []
  if (type === 'jsonpath' || type === 'custom-columns') {
    if (template) return { type, template }
    throw usage(
      `-o ${type} needs a template, as in ${type}=${type === 'jsonpath' ? '{.items[*].image.reference}' : 'IMAGE:.image.reference'}`,
    )
  }
  const known = FORMATS.get(text)
  if (known !== undefined) return { type: known }
  throw usage(
    `-o ${JSON.stringify(text)} is no output format`,
    'Formats: table, wide, json, yaml, csv, name, jsonpath=…, custom-columns=…',
  )
}

function matchOn(match: string | undefined): ImageMatch['on'] {
  return match === 'pod' || match === 'image' ? match : 'either'
}

/** Without a hint: whoever runs the command points to its help, under the name it was called by. */
function usage(message: string, hint?: string): DeckError {
  return new DeckError('USAGE', message, { hint })
}
