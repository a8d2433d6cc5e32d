import { ApiError } from './api-error.ts'
import { parseFieldSelector, parseLabelSelector, type Selection } from './selectors.ts'

/** The query of a list or watch (meta/v1 ListOptions, and what the companion adds). */
export interface ReadOptions extends Selection {
  readonly watch: boolean
  /** 0: all at once. */
  readonly limit: number
  readonly continue: string
  /** Decimal, or empty where none was given. */
  readonly resourceVersion: string
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan'
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
  readonly timeoutSeconds: number | undefined
  /** Epoch milliseconds: only records of this moment or later. */
  readonly sinceTime: number | undefined
  /** Epoch milliseconds: only records of this moment or earlier. */
  readonly untilTime: number | undefined
  /** At most so many records of each thing. */
  readonly perObject: number | undefined
}

/** RFC 3339 with any zone; Date.parse alone takes much more. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** Reads the query of a list or watch; ApiErrors as k8s.io/apimachinery gives them for the same faults. */
export function parseQuery(query: string): ReadOptions {
  const given = new URLSearchParams(query)
  const text = (name: string): string => given.get(name) ?? ''
  const options: ReadOptions = {
    watch: flag(given.get('watch')),
    limit: Math.max(0, wholeNumber('limit', text('limit')) ?? 0),
    continue: text('continue'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: matchOf(text('resourceVersionMatch')),
    allowWatchBookmarks: flag(given.get('allowWatchBookmarks')),
    sendInitialEvents: given.has('sendInitialEvents') ? flag(given.get('sendInitialEvents')) : undefined,
    timeoutSeconds: wholeNumber('timeoutSeconds', text('timeoutSeconds')),
    sinceTime: instant('sinceTime', text('sinceTime')),
    untilTime: instant('untilTime', text('untilTime')),
    perObject: positive('perObject', text('perObject')),
    fields: parseFieldSelector(text('fieldSelector')),
    labels: parseLabelSelector(text('labelSelector')),
  }
  checkVersion(options)
  if (options.watch) checkWatch(options)
  else checkList(options)
  return options
}

/** Only absence, `0` and `false` mean no (k8s.io/apimachinery, Convert_Slice_string_To_bool). */
function flag(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

function wholeNumber(name: string, text: string): number | undefined {
  if (text === '') return undefined
  const number = Number(text)
  if (/^[+-]?\d{1,18}$/.test(text) && Number.isSafeInteger(number)) return number
  throw new ApiError('BadRequest', `${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number`)
}

function positive(name: string, text: string): number | undefined {
  const number = wholeNumber(name, text)
  if (number === undefined || number > 0) return number
  throw new ApiError('BadRequest', `${name}: Invalid value: ${JSON.stringify(text)}: must be greater than 0`)
}

function instant(name: string, text: string): number | undefined {
  if (text === '') return undefined
  const at = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new ApiError(
    'BadRequest',
    `${name}: Invalid value: ${JSON.stringify(text)}: must be a time such as 2026-11-21T02:14:07Z`,
  )
}

function matchOf(text: string): ReadOptions['resourceVersionMatch'] {
  if (text === '' || text === 'Exact' || text === 'NotOlderThan') return text
  throw invalid(
    'resourceVersionMatch',
    `Unsupported value: ${JSON.stringify(text)}: supported values: "Exact", "NotOlderThan"`,
  )
}

function checkVersion({ resourceVersion }: ReadOptions): void {
  if (/^\d{0,20}$/.test(resourceVersion)) return
  const value = JSON.stringify(resourceVersion)
  throw new ApiError('BadRequest', `resourceVersion: Invalid value: ${value}: must be a number`)
}

/** k8s.io/apimachinery, pkg/apis/meta/internalversion/validation. */
function checkList(options: ReadOptions): void {
  const { resourceVersion, resourceVersionMatch, sendInitialEvents } = options
  if (sendInitialEvents !== undefined) throw forbidden('sendInitialEvents', 'for list')
  if (resourceVersionMatch === '') return
  if (options.continue !== '') throw forbidden('resourceVersionMatch', 'when continue is provided')
  if (resourceVersion === '') throw forbidden('resourceVersionMatch', 'unless resourceVersion is provided')
  if (resourceVersionMatch === 'Exact' && resourceVersion === '0') {
    throw forbidden('resourceVersionMatch', 'to be "Exact" for resourceVersion "0"')
  }
}

function checkWatch(options: ReadOptions): void {
  const { resourceVersionMatch, sendInitialEvents } = options
  if (sendInitialEvents === undefined) {
    if (resourceVersionMatch !== '')
      throw forbidden('resourceVersionMatch', 'for watch unless sendInitialEvents is provided')
  } else if (resourceVersionMatch === '') {
    throw forbidden('resourceVersionMatch', 'to be left out where sendInitialEvents is provided')
  } else if (resourceVersionMatch !== 'NotOlderThan') {
    throw invalid(
      'resourceVersionMatch',
      `Unsupported value: ${JSON.stringify(resourceVersionMatch)}: supported values: "NotOlderThan"`,
    )
  }
}

function forbidden(field: string, when: string): ApiError {
  return invalid(field, `Forbidden: ${field} is forbidden ${when}`)
}

function invalid(field: string, why: string): ApiError {
  return new ApiError('Invalid', `ListOptions.meta.k8s.io "" is invalid: ${field}: ${why}`)
}
