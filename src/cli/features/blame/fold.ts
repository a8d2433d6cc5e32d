import { plural } from '../../../core/lib/text.ts'
import type { Change } from '../../../core/wire/change.ts'
import { objectText } from './change-lines.ts'
import { actorWords } from './who-text.ts'

/** A change with what controllers did because of it. */
export interface FoldedChange {
  readonly change: Change
  /** In the order of the list. */
  readonly consequences: readonly FoldedChange[]
}

/** At most so many lines tell the consequences of a change. */
const CONSEQUENCE_LINES = 3

/**
 * Puts every change under the one that caused it, where that is in the list; the others keep their order. What lies in
 * a circle, which no companion writes, stays at the top.
 */
export function foldChanges(changes: readonly Change[]): FoldedChange[] {
  const byName = new Map(
    changes.flatMap((change) => (change.metadata ? [[change.metadata.name, change]] : [])),
  )
  const children = new Map<Change, Change[]>()
  const roots: Change[] = []
  for (const change of changes) {
    const cause = change.cause && byName.get(change.cause.change)
    if (cause === undefined || leadsBackTo(change, cause, byName)) roots.push(change)
    else {
      const siblings = children.get(cause)
      if (siblings) siblings.push(change)
      else children.set(cause, [change])
    }
  }
  const fold = (change: Change): FoldedChange => ({
    change,
    consequences: (children.get(change) ?? []).map(fold),
  })
  return roots.map(fold)
}

function leadsBackTo(change: Change, from: Change, byName: ReadonlyMap<string, Change>): boolean {
  const seen = new Set<Change>()
  let at: Change | undefined = from
  while (at !== undefined && !seen.has(at)) {
    if (at === change) return true
    seen.add(at)
    at = at.cause && byName.get(at.cause.change)
  }
  return at !== undefined
}

/** What followed from a change, all the way down, counted: `+ 3 pods deleted by the garbage collector`. */
export function consequenceLines(consequences: readonly FoldedChange[]): string[] {
  const groups = new Map<string, Change[]>()
  for (const change of withConsequences(consequences)) {
    const key = JSON.stringify([change.object.kind, wordOf(change), change.user?.username])
    const group = groups.get(key)
    if (group) group.push(change)
    else groups.set(key, [change])
  }
  const lines = [...groups.values()].flatMap(groupLine)
  if (lines.length <= CONSEQUENCE_LINES + 1) return lines
  const rest = [...groups.values()].slice(CONSEQUENCE_LINES).reduce((count, group) => count + group.length, 0)
  return [...lines.slice(0, CONSEQUENCE_LINES), `+ ${plural(rest, 'more consequence')}`]
}

function groupLine(group: readonly Change[]): string[] {
  const [first] = group
  if (first === undefined) return []
  // A pod that is deleted is one pod, however often a controller wrote to it.
  const objects = new Map(group.map(({ object }) => [`${object.namespace}/${object.name}`, object]))
  const what =
    objects.size === 1 ? objectText(first.object) : plural(objects.size, first.object.kind.toLowerCase())
  const by = first.user === undefined ? '' : ` by ${actorWords(first.user.username)}`
  return [`+ ${what} ${wordOf(first)}${by}`]
}

function wordOf({ operation, object, changes }: Change): string {
  switch (operation) {
    case 'CREATE':
      return object.subresource === 'eviction' ? 'evicted' : 'created'
    case 'DELETE':
      return 'deleted'
    case 'CONNECT':
      return 'connected to'
    case 'UPDATE':
      return changes.length === 1 && changes[0]?.path === 'spec.replicas' ? 'scaled' : 'changed'
  }
}

/** Changes with all that followed from them, each behind its cause. */
export function withConsequences(folded: readonly FoldedChange[]): Change[] {
  return folded.flatMap(({ change, consequences }) => [change, ...withConsequences(consequences)])
}

/**
 * Of other changes those that followed from some, at once or through others: what `--consequences` of one object wants
 * of its namespace. Give `listView` both, the newest first.
 */
export function consequencesOf(some: readonly Change[], others: readonly Change[]): Change[] {
  const known = new Set(some.map(({ metadata }) => metadata?.name))
  const folded = foldChanges([...some, ...others.filter(({ metadata }) => !known.has(metadata?.name))])
  return withConsequences(folded.filter(({ change }) => known.has(change.metadata?.name))).filter(
    ({ metadata }) => !known.has(metadata?.name),
  )
}
