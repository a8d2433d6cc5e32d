import { plural } from '../../../core/lib/text.ts'
import { mayHaveLanded } from '../../../core/model/unseen-change.ts'
import type { Change, ChangedObject, FieldChange } from '../../../core/wire/change.ts'
import { byInterest, isDefaulted } from './field-interest.ts'
import { fieldLine, type ChangeLine } from './field-line.ts'
import { unfoldField } from './unfold-fields.ts'

/** How what a change did is told. */
export interface ChangeLinesOptions {
  /** At most so many lines of fields. */
  readonly fields: number
  /** The object has another uid than the one of this name before it. */
  readonly anew?: boolean
  /** Not what a write changed but what a field manager owns, as managedFields tell it. */
  readonly owned?: boolean
  /** Stands before the first line, where it is another object than the reader expects. */
  readonly object?: string | undefined
}

/** Fields that are switched on and off, with a word for each. */
const SWITCHES: Readonly<Record<string, readonly [string, string]>> = {
  'spec.paused': ['rollout paused', 'rollout resumed'],
  'spec.suspend': ['suspended', 'resumed'],
  'spec.unschedulable': ['cordoned', 'uncordoned'],
}

const RESTARTED = '["kubectl.kubernetes.io/restartedAt"]'

/**
 * What a change did, for people: words for what has a word (`created`, `scaled 3 → 6`, `restarted`), else one line for
 * each field, and what is to be known of its state where it is not simply confirmed.
 */
export function changeLines(change: Change, options: ChangeLinesOptions): ChangeLine[] {
  const did = deedLines(change, options)
  return withState(change, options.object === undefined ? did : withObject(options.object, did))
}

function withObject(object: string, [first, ...rest]: readonly ChangeLine[]): ChangeLine[] {
  if (first === undefined) return [sentence(object)]
  return first.label === ''
    ? [{ ...first, lead: `${object} ${first.lead}` }, ...rest]
    : [sentence(object), first, ...rest]
}

/** `deployment/web`; of a subresource the object itself. */
export function objectText({ kind, name }: Pick<ChangedObject, 'kind' | 'name'>): string {
  return `${kind.toLowerCase()}/${name}`
}

function sentence(lead: string, style?: ChangeLine['style']): ChangeLine {
  return { label: '', lead, values: [], tail: '', ...(style ? { style } : {}) }
}

function deedLines(
  change: Change,
  { fields, anew = false, owned = false }: ChangeLinesOptions,
): ChangeLine[] {
  const { operation, object } = change
  switch (operation) {
    case 'CONNECT':
      return [sentence(connected(object.subresource))]
    case 'DELETE':
      return [sentence('deleted')]
    case 'CREATE':
      if (object.subresource === 'eviction') return [sentence('evicted')]
      if (object.subresource === 'binding') return [sentence('bound to a node')]
      return [createdLine(anew ? 'created anew (new uid)' : 'created', change.changes[0]?.to)]
    case 'UPDATE':
      return owned ? ownedLines(change, fields) : updateLines(change, fields)
  }
}

function createdLine(word: string, object: unknown): ChangeLine {
  const facts = createdFacts(object)
  return facts === '' ? sentence(word) : { ...sentence(`${word}: `), values: [facts] }
}

/** What people ask for first of a new object: `nginx:1.24, 3 replicas`; empty where it has neither. */
export function createdFacts(object: unknown): string {
  const spec = memberOf(object, 'spec')
  const template = memberOf(memberOf(memberOf(spec, 'jobTemplate'), 'spec') ?? spec, 'template')
  const containers = memberOf(memberOf(template, 'spec') ?? spec, 'containers')
  const images = Array.isArray(containers)
    ? containers.map((container: unknown) => memberOf(container, 'image'))
    : []
  const replicas = memberOf(spec, 'replicas')
  return [
    ...images.filter((image) => typeof image === 'string'),
    ...(typeof replicas === 'number' ? [plural(replicas, 'replica')] : []),
  ].join(', ')
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined
}

/** The API server tells what was asked for, and nobody whether it came about. */
function connected(subresource: string): string {
  switch (subresource) {
    case 'exec':
      return 'asked to run a command (exec)'
    case 'attach':
      return 'asked to attach to it (attach)'
    case 'portforward':
      return 'asked to forward a port (port-forward)'
    default:
      return `asked to connect to it${subresource === '' ? '' : ` (${subresource})`}`
  }
}

function updateLines({ changes, truncated = false }: Change, limit: number): ChangeLine[] {
  if (changes.length === 0) {
    return [
      sentence(
        truncated ? 'changed (too large: its values are not kept)' : 'changed (which fields is not known)',
      ),
    ]
  }
  const fields = changes.flatMap((change) => (wordOf(change) ? [change] : unfoldField(change)))
  // What came with the whole and nobody chose; what was changed by itself was chosen.
  const isTold = (field: FieldChange): boolean => changes.includes(field) || !isDefaulted(field)
  const chosen = Number.isFinite(limit) ? fields.filter(isTold) : fields
  const words = chosen.flatMap((change) => wordOf(change) ?? [])
  const lines = byInterest(chosen.filter((change) => wordOf(change) === undefined)).map(fieldLine)
  return [
    ...atMost([...words, ...lines], limit),
    ...defaultsLine(fields.length - chosen.length),
    ...(truncated ? [sentence('values too large, not kept', 'faint')] : []),
  ]
}

/** What a manager owns, what people ask for first before the rest; with a limit without what is so by default. */
function ownedLines({ changes }: Change, limit: number): ChangeLine[] {
  const chosen = Number.isFinite(limit) ? changes.filter((change) => !isDefaulted(change)) : changes
  const lines = byInterest(chosen).map((change) =>
    change.path.endsWith(RESTARTED) ? sentence('restarted') : fieldLine(change),
  )
  return [...atMost(lines, limit), ...defaultsLine(changes.length - chosen.length)]
}

function defaultsLine(count: number): ChangeLine[] {
  return count > 0 ? [sentence(`+ ${plural(count, 'default')} (-o wide)`, 'faint')] : []
}

/** One line more costs no more than saying that there is one. */
function atMost(lines: readonly ChangeLine[], limit: number): ChangeLine[] {
  if (lines.length <= limit + 1) return [...lines]
  const more = lines.length - limit
  return [...lines.slice(0, limit), sentence(`+ ${plural(more, 'more field')} (-o wide)`, 'faint')]
}

/** What has a word of its own. */
function wordOf({ path, op, from, to }: FieldChange): ChangeLine | undefined {
  if (path === 'spec.replicas' && typeof from === 'number' && typeof to === 'number') {
    return { label: '', lead: 'scaled ', values: [String(from), String(to)], tail: '' }
  }
  if (path.endsWith(RESTARTED) && op !== 'remove') return sentence('restarted')
  const [on, off] = SWITCHES[path] ?? []
  if (to === true && on !== undefined) return sentence(on)
  // What was never on is not switched off.
  if (from === true && off !== undefined) return sentence(off)
  return undefined
}

/** What is to be known of a change that is not simply done: `not confirmed`; undefined of all others. */
export function stateWord(change: Pick<Change, 'state' | 'operation' | 'reason'>): string | undefined {
  switch (change.state) {
    case 'confirmed':
    case 'unattributed':
    case 'ambiguous':
      return undefined
    case 'admitted':
      // Nothing that could be seen to land comes of a CONNECT.
      return change.operation === 'CONNECT' ? undefined : 'not confirmed'
    case 'pending':
      return 'not confirmed yet'
    case 'superseded':
      return 'a try that was repeated'
    case 'not-landed':
      return mayHaveLanded(change) ? 'may have landed' : 'did NOT land'
  }
}

/** The word first where nothing of what follows was done. */
function withState(change: Change, lines: readonly ChangeLine[]): ChangeLine[] {
  const { state, reason } = change
  const word = stateWord(change)
  if (word === undefined) return [...lines]
  if (state === 'not-landed') {
    const style = mayHaveLanded(change) ? 'warn' : 'bad'
    return [sentence(reason === '' ? word : `${word}: ${reason}`, style), ...lines]
  }
  return state === 'superseded' ? [sentence(word, 'warn'), ...lines] : [...lines, sentence(word, 'warn')]
}
