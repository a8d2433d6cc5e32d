import { DeckError } from '../../../core/lib/errors.ts'
import { matchesChange, matchesPath } from '../../../core/model/field-path.ts'
import type { Change, ChangeOperation, ChangeState, FieldChange } from '../../../core/wire/change.ts'

/** Which changes are meant: each list names what fits, an empty one means all; every condition must hold. */
export interface Selection {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly managers: readonly string[]
  readonly tools: readonly string[]
  readonly operations: readonly ChangeOperation[]
  readonly states: readonly ChangeState[]
  /** Paths as `matchesPath` takes them; see `checkFields`. */
  readonly fields: readonly string[]
  /** Only what a person's hand made. */
  readonly manual: boolean
  /** Epoch milliseconds, both inclusive. */
  readonly since: number | undefined
  readonly until: number | undefined
}

/** Noise that may be asked for. */
export type Noise = 'status' | 'managed'

/**
 * Whether a change fits. The companion looks at what it has field selectors for; the rest, and all of it where a list
 * names several or there is no companion, is left to this.
 */
export function changeSelector(selection: Selection): (change: Change) => boolean {
  const { users, groups, managers, tools, operations, states, fields, manual, since, until } = selection
  return (change) => {
    const time = Date.parse(change.time)
    return (
      (since === undefined || time >= since) &&
      (until === undefined || time <= until) &&
      (!manual || change.via.manual) &&
      fits(managers, change.via.manager) &&
      fits(tools, change.via.tool) &&
      fits(operations, change.operation) &&
      fits(states, change.state) &&
      peopleFit(change, users, groups) &&
      fieldsFit(change, fields)
    )
  }
}

function fits<Text extends string>(wanted: readonly Text[], text: Text): boolean {
  return wanted.length === 0 || wanted.includes(text)
}

/** Of several who may have made it, one must be meant by both name and group. */
function peopleFit(
  { user, candidates }: Change,
  users: readonly string[],
  groups: readonly string[],
): boolean {
  if (users.length === 0 && groups.length === 0) return true
  const people = [...(user ? [user] : []), ...(candidates ?? [])]
  return people.some(
    (person) =>
      fits(users, person.username) &&
      (groups.length === 0 || person.groups.some((group) => groups.includes(group))),
  )
}

function fieldsFit({ changes }: Change, fields: readonly string[]): boolean {
  return fields.length === 0 || changes.some((change) => isChosen(change, fields))
}

/** What ended the object ended each of its fields, whether its last state is known or not. */
function isChosen(change: FieldChange, fields: readonly string[]): boolean {
  return (
    (change.path === '' && change.op === 'remove') || fields.some((field) => matchesChange(field, change))
  )
}

/** The change with only the chosen fields in it; itself where none is chosen. */
export function withFields(change: Change, fields: readonly string[]): Change {
  if (fields.length === 0) return change
  return { ...change, changes: change.changes.filter((one) => isChosen(one, fields)) }
}

/** Fails with a DeckError USAGE where `--field` names no path. */
export function checkFields(fields: readonly string[]): void {
  for (const field of fields) {
    try {
      matchesPath(field, '')
    } catch (cause) {
      throw new DeckError('USAGE', `--field: ${cause instanceof Error ? cause.message : String(cause)}`, {
        hint: 'Write it like replicas, containers[app].image or metadata.labels["app.kubernetes.io/name"].',
        cause,
      })
    }
  }
}

/** What `--include status,managed` names; anything else is a DeckError USAGE. */
export function parseInclude(text: string | undefined): ReadonlySet<Noise> {
  const names = (text ?? '').split(',').filter((name) => name !== '')
  const wrong = names.find((name) => name !== 'status' && name !== 'managed')
  if (wrong !== undefined) {
    throw new DeckError('USAGE', `--include ${JSON.stringify(wrong)}: there is no such part`, {
      hint: 'It is status, managed or status,managed.',
    })
  }
  return new Set(names.filter((name) => name === 'status' || name === 'managed'))
}

/** What changes with every write and says nothing. */
const MANAGED = [
  'metadata.managedFields',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.selfLink',
  'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
  'metadata.annotations["deployment.kubernetes.io/revision"]',
]

/** Whether a field is noise that was not asked for: status, or what changes with every write. */
export function isNoise(path: string, include: ReadonlySet<Noise>): boolean {
  if (!include.has('status') && liesIn(path, 'status')) return true
  return !include.has('managed') && MANAGED.some((noise) => liesIn(path, noise))
}

/** By whole paths: the short ones of `matchesPath` would find `spec.status` too. */
function liesIn(path: string, field: string): boolean {
  return path.startsWith(field) && /^(?:[.[]|$)/.test(path.slice(field.length))
}
