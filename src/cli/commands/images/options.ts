import { DeckError } from '../../../core/lib/errors.ts'
import type { ImageMatch } from '../../../core/model/image-usage.ts'
import {
  parseContainerColumns,
  uniqueContainerColumns,
  type ContainerColumn,
} from '../../features/images/container-columns.ts'
import { parseRegex } from '../../features/images/regex.ts'
import type { ViewName } from '../../features/images/views.ts'
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
}

/** Checks the flags that depend on one another; a DeckError USAGE names the flag and what it takes. */
export function imagesOptions(flags: ImagesFlags, regex: string | undefined): ImagesOptions {
  const format = outputFormat(flags.output)
  const byContainer = flags.columns !== undefined || flags.unique
  if (byContainer && flags.by !== undefined && flags.by !== 'container') {
    throw usage(`--by ${flags.by} cannot be combined with --columns or --unique, whose rows are by container`)
  }
  if (flags.follow) refuseWithFollow(flags, format)
  else if (flags.verbose || flags['no-initial']) {
    throw usage(`${flags.verbose ? '--verbose' : '--no-initial'} only has a meaning with --follow`)
  }
  if (flags.match !== undefined && regex === undefined) throw usage('--match only has a meaning with a REGEX')
  if (flags.companion === 'require') {
    throw new DeckError('COMPANION_ABSENT', '--companion=require: this version cannot ask a companion yet', {
      hint: 'Leave the flag out: kubectl images then asks the API server itself.',
    })
  }
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
    match: regex === undefined ? undefined : { pattern: parseRegex(regex), on: matchOn(flags.match) },
    sort: { by: flags['sort-by'], reverse: flags.reverse },
  }
}

function refuseWithFollow(flags: ImagesFlags, format: OutputFormat): void {
  const refused = (['by', 'columns', 'sort-by'] as const).find((name) => flags[name] !== undefined)
  if (refused !== undefined || flags.unique || flags.reverse) {
    throw usage(
      `--${refused ?? (flags.unique ? 'unique' : 'reverse')} cannot be combined with --follow, which prints a stream of lines`,
    )
  }
  if (flags.verbose && format.type === 'json') {
    throw usage('--verbose adds lines of pods and users; -o json has the events of images only')
  }
  if (format.type !== 'table' && format.type !== 'json') {
    throw usage(`--follow prints lines or, with -o json, JSON lines; it has no -o ${format.type}`)
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

function outputFormat(text = 'table'): OutputFormat {
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
