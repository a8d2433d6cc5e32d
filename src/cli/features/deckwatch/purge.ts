import { DeckError } from '../../../core/lib/errors.ts'
import { plural, visible } from '../../../core/lib/text.ts'
import type { Clock } from '../../../core/lib/time.ts'
import { matchesChange, matchesPath, parsePath } from '../../../core/model/field-path.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'
import type { PurgeAnswer, PurgeRequest, PurgeTarget } from '../../../core/wire/purge.ts'

/** The ConfigMap of purges as it was read. */
export interface PurgeState {
  readonly resourceVersion: string
  readonly data: Readonly<Record<string, string>>
}

/** What purging needs of a cluster; calls end with a DeckError or the signal's reason. */
export interface PurgePorts {
  /** Undefined where there is no such ConfigMap. */
  read(signal: AbortSignal): Promise<PurgeState | undefined>
  /** Writes the request, and takes an older answer away, unless the ConfigMap was changed since it was read. */
  ask(request: PurgeRequest, state: PurgeState, signal: AbortSignal): Promise<void>
}

const POLL_MS = 500
/** The companion waits up to a minute for reviews that are not decided, and as long for replicas that hang. */
const ANSWER_MS = 150_000
/** Whoever asked so long ago does not wait any more. */
const STALE_MS = 10 * 60_000

/** What the companion purged: from how many changes, who was away, and what could not be overwritten. */
export type Purged = Omit<Extract<PurgeAnswer, { readonly done: true }>, 'id' | 'done'>

/** A path as `--field` takes it; a DeckError USAGE where it is none. */
export function checkField(text: string): string {
  try {
    if (parsePath(text).length > 0) return text
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new DeckError('USAGE', `--field: ${why}`, { hint: WHOLE, cause })
  }
  throw new DeckError('USAGE', '--field names no field', { hint: WHOLE })
}

const WHOLE =
  'Paths are written in full, as kubectl blame TYPE NAME -o yaml shows them: data.NAME, spec.template.spec.containers[name=app].env[name=TOKEN].value'

/** What a purge came to, as lines: what it was, and what still has the values. */
export function purgedLines({ changes, away = 0, remains }: Purged): readonly string[] {
  return [
    ` ok  purged from ${plural(changes, 'change')}, from the last known state and from the journal`,
    ...(away > 0
      ? [
          `     ${plural(away, 'replica')} ${away === 1 ? 'was' : 'were'} away: its journal is purged when it is back, before anybody gets to read`,
          '     what it had; a volume that nobody uses any more still has it.',
        ]
      : []),
    ...(remains === undefined
      ? []
      : [
          `     What was removed still lies in files of the database: ${visible(remains)}.`,
          '     The same command tries again.',
        ]),
    '     Backups of the volume or the database, and what was exported to a collector, still have it: remove it there.',
  ]
}

/**
 * What would go, as one line. Writes that were refused later or that the API server repeated are no changes, and no list
 * shows them unasked, yet they hold values as changes do.
 */
export function heldLine(spoken: string, changes: readonly Change[], path: string | undefined): string {
  const effective = changes.filter(({ state }) => state !== 'not-landed' && state !== 'superseded').length
  const others = changes.length - effective
  const sum = `${plural(effective, 'recorded change')}${others > 0 ? ` and ${plural(others, 'write')} without effect` : ''}`
  if (path === undefined) return `${spoken}: ${sum}, all of which would go`
  const holding = changes.filter((change) => change.changes.some((field) => matchesChange(path, field)))
  return `${spoken}: ${sum}, ${holding.length} with a value at ${visible(path)}`
}

/** Whether an object has something at a path: its next change would bring the value back into the history. */
export function stillHolds(object: KubernetesObject | undefined, path: string): boolean {
  return object !== undefined && matchesChange(path, { path: '', op: 'add', to: object })
}

/** The entry of `auditLog.redact` by which a field is kept as a keyed hash from then on. */
export function redactEntry({ group, resource }: PurgeTarget, path: string): string {
  return `${group === '' ? resource : `${resource}.${group}`}:${path}`
}

/** Whether the settings of the installed companion redact a field already. `config` is its configuration file. */
export function isRedactedBy(config: string, target: PurgeTarget, path: string): boolean {
  const line = /^audit-redact: (.*)$/m.exec(config)?.[1]
  try {
    const entries: unknown = JSON.parse(String(JSON.parse(line ?? '')))
    const prefix = redactEntry(target, '')
    return (
      Array.isArray(entries) &&
      entries.some(
        (entry) =>
          typeof entry === 'string' &&
          entry.startsWith(prefix) &&
          matchesPath(entry.slice(prefix.length), path),
      )
    )
  } catch {
    return false
  }
}

/** The ConfigMap, ready for a request. A DeckError where there is none, or where somebody else's is not answered yet. */
export async function readForRequest(
  ports: PurgePorts,
  { namespace, now }: { readonly namespace: string; readonly now: number },
  signal: AbortSignal,
): Promise<PurgeState> {
  const state = await ports.read(signal)
  if (!state) {
    throw new DeckError(
      'COMPANION_ABSENT',
      `no companion that could purge is in namespace ${namespace}: it has no audit-log, or is of an earlier version`,
      { hint: 'To see what is there: kubectl deckwatch status' },
    )
  }
  const asked = parsed(state.data['request'])
  const isOpen = asked?.['id'] !== undefined && parsed(state.data['answer'])?.['id'] !== asked['id']
  const age = now - Date.parse(String(asked?.['time']))
  if (isOpen && age < STALE_MS) {
    throw new DeckError('KUBE_CONFLICT', 'another purge was asked for and is not answered yet', {
      hint: 'Try again in a minute.',
    })
  }
  return state
}

/** Asks for a purge and waits for its answer. */
export async function requestPurge(
  { ports, clock }: { readonly ports: PurgePorts; readonly clock: Clock },
  { id, state, target }: { readonly id: string; readonly state: PurgeState; readonly target: PurgeTarget },
  signal: AbortSignal,
): Promise<Purged> {
  const began = clock.now()
  try {
    await ports.ask({ id, time: new Date(began).toISOString(), target }, state, signal)
  } catch (error) {
    if (!(error instanceof DeckError && error.code === 'KUBE_CONFLICT')) throw error
    throw new DeckError('KUBE_CONFLICT', 'nothing was purged: another purge was asked for meanwhile', {
      hint: 'Try again in a minute.',
      cause: error,
    })
  }
  while (clock.now() - began < ANSWER_MS) {
    await clock.sleep(POLL_MS, signal)
    const data = (await ports.read(signal))?.data
    const answer = parsed(data?.['answer']) as PurgeAnswer | undefined
    if (answer?.id === id) {
      if (answer.done) {
        const { id: _id, done: _done, ...purged } = answer
        return purged
      }
      throw new DeckError('PURGE_REFUSED', `the companion did not purge: ${answer.reason}`, {
        hint: 'The same command tries again; how the companion does: kubectl deckwatch status',
      })
    }
  }
  throw new DeckError('KUBE_TIMEOUT', `the companion has not answered within ${ANSWER_MS / 1000} s`, {
    hint: 'It does what was asked for as soon as it can; how it does: kubectl deckwatch status. Purging the same again does no harm.',
  })
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}
