import { diffLineLists } from '../../../core/lib/text-diff.ts'
import { formatPath, parsePath, shortPath } from '../../../core/model/field-path.ts'
import { revertChanges, ChangeConflict } from '../../../core/model/object-diff.ts'
import { withoutNoise } from '../../../core/model/object-noise.ts'
import { createRedactor, REDACTED } from '../../../core/model/redact-object.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'
import type { DiffHunk } from './diff-view-hunk.ts'
import { maskedLines } from './diff-view-masks.ts'
import { unifiedLines } from './diff-view-unified.ts'
import { yamlLines, type YamlTextLine } from './diff-view-yaml.ts'

const ONE_MARK = '0'.repeat(16)
const ANY_MARK = new RegExp(`${REDACTED}[0-9a-f]{16}`, 'g')

/**
 * An object as each of its changes left it, walked back from today's, as far as the changes fit: one that nobody
 * recorded ends it. `changes` are all of this object's, the newest first; today's credentials are redacted.
 */
export function objectsLeft(
  changes: readonly Change[],
  today: KubernetesObject,
): ReadonlyMap<Change, KubernetesObject> {
  const left = new Map<Change, KubernetesObject>()
  let object: unknown
  for (const change of changes) {
    if (changesNothing(change)) continue
    if (change.operation !== 'UPDATE' || change.object.uid !== today.metadata?.uid || change.truncated) break
    object ??= redacted(withoutNoise(today), change)
    const after = object as KubernetesObject
    object = before(change, after)
    if (object === undefined) break
    left.set(change, after)
  }
  return left
}

/** A connection, an eviction or a binding is recorded beside what it led to. */
function changesNothing({ operation, object: { subresource } }: Change): boolean {
  return operation === 'CONNECT' || (operation === 'CREATE' && subresource !== '')
}

function redacted(object: KubernetesObject, { object: { group, resource } }: Change): KubernetesObject {
  return createRedactor({ hmac: () => ONE_MARK, paths: [] })({ group, resource }, object)
}

/** The object before a change; undefined where that does not fit. */
function before(change: Change, after: KubernetesObject): KubernetesObject | undefined {
  try {
    return revertChanges(after, withOneMark(change)) as KubernetesObject
  } catch (error) {
    if (error instanceof ChangeConflict) return undefined
    throw error
  }
}

/** The changes with one mark for all that is redacted: the key that tells values apart is the companion's alone. */
function withOneMark({ changes }: Change): Change['changes'] {
  if (!JSON.stringify(changes).includes(REDACTED)) return changes
  return JSON.parse(JSON.stringify(changes).replace(ANY_MARK, REDACTED + ONE_MARK)) as Change['changes']
}

/**
 * A change as a diff of the whole object that it left; undefined where it does not fit, or where only a value that is
 * redacted differs, of which the object says nothing.
 */
export function objectHunks(change: Change, after: KubernetesObject): DiffHunk[] | undefined {
  if (JSON.stringify(change.changes).includes(REDACTED)) return undefined
  const old = before(change, after)
  if (!old) return undefined
  const [oldLines, newLines] = [yamlLines(old), yamlLines(after)]
  const [oldTexts, newTexts] = [textsOf(oldLines), textsOf(newLines)]
  const parts = unifiedLines(oldTexts, diffLineLists(oldTexts, newTexts))
  if (parts.length === 0) return undefined
  return parts.map(({ lines, firstChange }) => {
    const first = lines.find(({ mark }) => mark !== ' ')
    const line = first?.mark === '-' ? oldLines[firstChange.before] : newLines[firstChange.after]
    return { heading: headingOf(line), lines: maskedLines(lines) }
  })
}

function textsOf(lines: readonly YamlTextLine[]): string[] {
  return lines.map(({ text }) => text)
}

/** Where a line stands: the text that it is a line of, or what its field lies in. */
function headingOf(line: YamlTextLine | undefined): string {
  if (!line) return ''
  return shortPath(line.continued ? line.path : formatPath(parsePath(line.path).slice(0, -1)))
}
