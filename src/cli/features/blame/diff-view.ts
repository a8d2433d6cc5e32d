import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change, ChangeUser } from '../../../core/wire/change.ts'
import { fieldHunks } from './diff-view-fields.ts'
import type { DiffHunk } from './diff-view-hunk.ts'
import { objectHunks } from './diff-view-objects.ts'
import { toolName } from './who-text.ts'

/** A change as a unified diff. */
export interface DiffView {
  /** `UPDATE deployment/web in shop`. */
  readonly title: string
  /** Who, when, with what, how certain: a label and a text each. */
  readonly facts: readonly { readonly label: string; readonly text: string }[]
  readonly hunks: readonly DiffHunk[]
  /** What is to be said where there are no hunks; else empty. */
  readonly note: string
}

/**
 * A change as a unified diff of YAML. With `after`, the object as the change left it (`objectsLeft` walks back to it
 * from today's), hunks have three lines of context as in a diff of the whole object. Without it, as for objects that
 * are gone or were changed by somebody unseen since, each hunk shows just the fields of one place, with context only
 * inside of values: lists without keys, which are recorded whole. Of a text of several lines neither has more than its
 * changed lines, unless `after` is known.
 */
export function diffView(change: Change, after?: KubernetesObject): DiffView {
  const hunks = (after && objectHunks(change, after)) ?? fieldHunks(change.changes)
  return {
    title: titleOf(change),
    facts: factsOf(change),
    hunks,
    note: hunks.length > 0 ? '' : noteOf(change),
  }
}

function titleOf({ operation, object }: Change): string {
  const { kind, name, namespace, subresource } = object
  const where = namespace === '' ? '' : ` in ${namespace}`
  const how = subresource === '' ? '' : ` (${subresource})`
  return `${operation} ${kind.toLowerCase()}/${name}${where}${how}`
}

function factsOf(change: Change): DiffView['facts'] {
  const { metadata, time, user, candidates, via, state, reason } = change
  const facts: readonly (readonly [string, string])[] = [
    ['change', metadata?.name ?? ''],
    ['time', time],
    ...(state === 'ambiguous' && candidates
      ? candidates.flatMap(userFacts)
      : user
        ? userFacts(user)
        : nobody),
    ['manager', via.manager],
    ['on behalf of', behalfOf(change)],
    ['state', reason === '' ? state : `${state}: ${reason}`],
  ]
  return facts.filter(([, text]) => text !== '').map(([label, text]) => ({ label, text }))
}

const nobody = [['user', '?']] as const

function userFacts({ username, groups, extra }: ChangeUser): (readonly [string, string])[] {
  return [
    ['user', username],
    ['groups', groups.join(', ')],
    ...Object.entries(extra).map(([key, values]) => ['extra', `${key}=${values.join(',')}`] as const),
  ]
}

function behalfOf({ via: { tool, source, revision, initiatedBy } }: Change): string {
  if (source === '' && initiatedBy === '') return ''
  const what = [toolName(tool), source].filter((text) => text !== '').join(', ')
  const which = revision === '' ? '' : ` at ${revision}`
  return `${what}${which}${initiatedBy === '' ? '' : `, asked for by ${initiatedBy}`}`
}

function noteOf({ operation, object, truncated }: Change): string {
  if (operation === 'CONNECT') return `a connection (${object.subresource}): nothing was changed`
  return truncated ? 'the values were too large and are not kept' : 'which fields changed is not known'
}
