import { formatPath, parsePath, type PathStep } from '../../../core/model/field-path.ts'
import { listKeysOf, wellKnownListKeys } from '../../../core/model/list-keys.ts'
import { diffObjects } from '../../../core/model/object-diff.ts'
import { equalValues, isMap, type JsonMap } from '../../../core/model/object-diff-equal.ts'
import { applyLines, invertLines } from '../../../core/model/object-diff-lines.ts'
import { withoutNoise } from '../../../core/model/object-noise.ts'
import { invertChanges } from '../../../core/model/revert-change.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { FieldChange, LineHunk } from '../../../core/wire/change.ts'
import { UndoDraft, type Place } from './undo-draft.ts'
import { applyShiftedLines } from './undo-lines.ts'
import type { UndoConflict, UndoPlan } from './undo-plan.ts'
import { fitsRecorded, holdsRedacted } from './undo-redacted.ts'

/** Nobody can change these by writing; an ephemeral container stays as long as its pod. */
const FIXED =
  /^(?:metadata\.(?:deletionTimestamp|deletionGracePeriodSeconds|creationTimestamp|uid|name|namespace)$|spec\.ephemeralContainers(?:\[|$))/

/** What is known before it is known where the patch is sent. */
type PatchPlan = Omit<Extract<UndoPlan, { readonly type: 'patch' }>, 'subresource'>

/** How the field changes of an UPDATE are taken back against today's object. */
export function planPatch(changes: readonly FieldChange[], today: KubernetesObject): PatchPlan {
  const undo = new Undo(today)
  const wanted = invertChanges(changes).map((change) => ({ steps: parsePath(change.path), change }))
  // A list's entries come and go when all else is done: inner lists first, and in each list what goes before what comes.
  for (const { steps, change } of wanted) if (!change.index) undo.takeBack(steps, change)
  undo.arrange(wanted.filter(({ change }) => change.index))
  const { object, patch } = undo.draft
  if (patch.length > 0 && typeof today.metadata?.uid === 'string') {
    patch.unshift({ op: 'test', path: '/metadata/uid', value: today.metadata.uid })
  }
  return {
    type: 'patch',
    patch,
    changes: diffObjects(withoutNoise(today), withoutNoise(object as KubernetesObject), listKeysOf(today)),
    already: undo.already,
    conflicts: undo.conflicts,
    warnings: undo.warnings,
  }
}

interface Wanted {
  readonly steps: readonly PathStep[]
  readonly change: FieldChange
}

class Undo {
  readonly draft: UndoDraft
  readonly already: string[] = []
  readonly conflicts: UndoConflict[] = []
  readonly warnings: string[] = []

  constructor(today: KubernetesObject) {
    this.draft = new UndoDraft(today)
  }

  takeBack(steps: readonly PathStep[], change: FieldChange): void {
    const path = formatPath(steps)
    if (FIXED.test(path)) return this.#conflict({ path, obstacle: 'fixed' })
    if (change.lines) return this.#takeBackLines(steps, change.lines)
    if (change.op !== 'remove' && holdsRedacted(change.to))
      return this.#conflict({ path, obstacle: 'redacted' })
    const place = this.draft.at(steps)
    switch (change.op) {
      case 'add':
        return this.#putAgain(steps, place, change.to)
      case 'remove':
        return this.#takeAway(steps, place, change.from)
      case 'replace':
        return this.#putBack(steps, place, change)
    }
  }

  /** Takes entries of lists out, puts them in and moves them, for all lists at once. */
  arrange(wanted: readonly Wanted[]): void {
    const lists = Map.groupBy(wanted, ({ steps }) => formatPath(steps.slice(0, -1)))
    const inner = [...lists.values()].toSorted(
      (a, b) => (b[0]?.steps.length ?? 0) - (a[0]?.steps.length ?? 0),
    )
    for (const entries of inner) this.#arrangeList(entries)
  }

  #arrangeList(wanted: readonly Wanted[]): void {
    const arrivals: { readonly steps: readonly PathStep[]; readonly to: number; readonly value: unknown }[] =
      []
    for (const { steps, change } of wanted) {
      const to = change.index?.to
      if (change.op === 'remove') this.takeBack(steps, change)
      else if (change.op === 'replace') {
        const moved = this.#takeMoved(steps, change)
        if (moved && to !== undefined) arrivals.push({ steps, to, value: moved.value })
      } else if (this.#mayArrive(steps, change)) arrivals.push({ steps, to: to ?? 0, value: change.to })
    }
    for (const { steps, to, value } of arrivals.toSorted((a, b) => a.to - b.to)) {
      this.draft.standOnAbsence(steps)
      this.draft.insert(steps.slice(0, -1), to, value)
    }
  }

  #mayArrive(steps: readonly PathStep[], { to }: FieldChange): boolean {
    const path = formatPath(steps)
    const place = this.draft.at(steps)
    if (holdsRedacted(to)) this.#conflict({ path, obstacle: 'redacted' })
    else if (place.parent === undefined) this.#conflict({ path, obstacle: 'gone' })
    else if (!place.found) return true
    else if (equalValues(place.value, to)) this.already.push(path)
    else this.#conflict({ path, obstacle: 'changed', today: place.value })
    return false
  }

  /** An entry whose place is taken back, taken out; undefined where it stays where it is. */
  #takeMoved(steps: readonly PathStep[], { path, index }: FieldChange): Place | undefined {
    const place = this.draft.at(steps)
    if (!place.found || place.token === index?.to) {
      this.already.push(path)
      return undefined
    }
    this.draft.standOn(steps, false)
    this.draft.remove(place)
    return place
  }

  #putAgain(steps: readonly PathStep[], place: Place, value: unknown): void {
    const path = formatPath(steps)
    if (place.found) {
      if (equalValues(place.value, value)) return void this.already.push(path)
      if (isMap(place.value) && isMap(value)) {
        return this.#eachKey(steps, value, (to) => ({ path, op: 'add', to }))
      }
      return this.#conflict({ path, obstacle: 'changed', today: place.value })
    }
    const root = this.#lastThere(steps)
    if (!root) return this.#conflict({ path, obstacle: 'gone' })
    this.draft.standOnAbsence(root.steps)
    this.draft.put(this.draft.at(root.steps), nest(steps.slice(root.steps.length), value))
  }

  /** The first step of the way that leads to nothing, where only keys of maps follow: they can be made again. */
  #lastThere(steps: readonly PathStep[]): { readonly steps: readonly PathStep[] } | undefined {
    for (let length = steps.length; length > 0; length--) {
      const step = steps[length - 1]
      if (!step || !('key' in step)) return undefined
      if (this.draft.at(steps.slice(0, length)).parent) return { steps: steps.slice(0, length) }
    }
    return undefined
  }

  #takeAway(steps: readonly PathStep[], place: Place, left: unknown): void {
    const path = formatPath(steps)
    if (!place.found) return void this.already.push(path)
    if (fitsRecorded(place.value, left)) {
      this.#warnOfRedacted(path, left)
      this.draft.standOn(steps, true)
      return this.draft.remove(place)
    }
    const last = steps.at(-1)
    if (last && 'key' in last && isMap(place.value) && isMap(left)) {
      return this.#eachKey(steps, left, (from) => ({ path, op: 'remove', from }))
    }
    this.#changed(steps, left, place.value)
  }

  #putBack(steps: readonly PathStep[], place: Place, { from, to }: FieldChange): void {
    const path = formatPath(steps)
    if (!place.found) return this.#conflict({ path, obstacle: 'gone', left: from })
    if (equalValues(place.value, to)) return void this.already.push(path)
    if (!fitsRecorded(place.value, from)) return this.#changed(steps, from, place.value)
    this.#warnOfRedacted(path, from)
    this.draft.standOn(steps, true)
    this.draft.put(place, to)
  }

  #takeBackLines(steps: readonly PathStep[], hunks: readonly LineHunk[]): void {
    const path = formatPath(steps)
    const place = this.draft.at(steps)
    if (typeof place.value !== 'string') {
      return this.#conflict({ path, obstacle: place.found ? 'changed' : 'gone', ...todayOf(place) })
    }
    if (hunks.some(({ to }) => holdsRedacted(to))) return this.#conflict({ path, obstacle: 'redacted' })
    const text = applyShiftedLines(place.value, hunks)
    if (text === undefined) {
      // The lines that the change put in are not there; those that it took out may be there again.
      const isBack =
        hunks.every(({ to }) => to.length > 0) && applyLines(place.value, invertLines(hunks)) !== undefined
      if (isBack) return void this.already.push(path)
      return this.#conflict({ path, obstacle: 'changed', today: place.value })
    }
    this.draft.standOn(steps, true)
    this.draft.put(place, text)
  }

  /** Names what differs within a value, not the whole of it. */
  #changed(steps: readonly PathStep[], left: unknown, today: unknown): void {
    for (const { path, from, to, lines } of diffObjects(left, today, wellKnownListKeys)) {
      this.#conflict({
        path: formatPath([...steps, ...parsePath(path)]),
        obstacle: 'changed',
        ...(from === undefined || lines ? {} : { left: from }),
        ...(to === undefined || lines ? {} : { today: to }),
      })
    }
  }

  #eachKey(steps: readonly PathStep[], map: JsonMap, changeOf: (value: unknown) => FieldChange): void {
    for (const [key, value] of Object.entries(map)) this.takeBack([...steps, { key }], changeOf(value))
  }

  #warnOfRedacted(path: string, left: unknown): void {
    if (!holdsRedacted(left)) return
    this.warnings.push(
      `What the change left in ${path} is redacted: whether it was changed since is not known`,
    )
  }

  #conflict(conflict: UndoConflict): void {
    this.conflicts.push(conflict)
  }
}

function nest(steps: readonly PathStep[], value: unknown): unknown {
  return steps.reduceRight((inner, step) => ('key' in step ? { [step.key]: inner } : inner), value)
}

function todayOf({ found, value }: Place): { readonly today?: unknown } {
  return found ? { today: value } : {}
}
