import { createHmac, randomBytes } from 'node:crypto'
import { listKeysOf } from '../../../core/model/list-keys.ts'
import { applyChanges, diffObjects } from '../../../core/model/object-diff.ts'
import { withoutNoise } from '../../../core/model/object-noise.ts'
import { createRedactor } from '../../../core/model/redact-object.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'
import { diffView } from '../../features/blame/diff-view.ts'
import { whoText } from '../../features/blame/who-text.ts'
import type { Chunks } from '../../render/chunks.ts'
import { renderDiffs } from '../../render/diff.ts'
import type { Palette } from '../../render/palette.ts'
import { deleteOptions, type WritingPlan } from './undo-request.ts'

/** What a difference is made of. */
export interface UndoDifference {
  readonly plan: WritingPlan
  readonly change: Change
  readonly today: KubernetesObject | undefined
  /** What the API server would make of it; undefined: as the plan says. */
  readonly after: KubernetesObject | undefined
  /** `deployment.apps/web`. */
  readonly objectName: string
}

/** The difference between today's object and the one with the change taken back; credentials as `***`. */
export function undoDiff(
  { plan, change, today, after, objectName }: UndoDifference,
  palette: Palette,
): Chunks {
  const { namespace } = change.object
  const verb = { patch: 'PATCH', create: 'CREATE', delete: 'DELETE' }[plan.type]
  const made = after ?? madeBy(plan, today)
  const mark = redactor(change)
  const [before, now] = [today && mark(today), plan.type === 'delete' || !made ? undefined : mark(made)]
  const changes = diffObjects(
    before,
    now,
    listKeysOf(...[today, made].filter((object) => object !== undefined)),
  )
  const operation = plan.type === 'patch' ? 'UPDATE' : plan.type === 'create' ? 'CREATE' : 'DELETE'
  const { hunks, note } = diffView({ ...change, operation, changes }, now)
  const facts = [
    { label: 'takes back', text: `${change.metadata?.name ?? ''} of ${change.time}` },
    { label: 'made by', text: whoText(change) },
  ]
  const title = `${verb} ${objectName}${namespace === '' ? '' : ` in ${namespace}`}`
  return renderDiffs([{ title, facts, hunks, note: hunks.length > 0 ? '' : note }], palette)
}

/** What kubectl takes: a JSON patch, the object to create, or the options of a deletion. */
export function undoDocument(plan: WritingPlan, { object: { group, resource } }: Change): unknown {
  switch (plan.type) {
    case 'patch': {
      const secret = group === '' && resource === 'secrets'
      // The tests for what a Secret holds would show it.
      return plan.patch.filter(
        ({ op, path }) => !(secret && op === 'test' && /^\/(?:data|stringData)\//.test(path)),
      )
    }
    case 'create':
      return plan.object
    case 'delete':
      return deleteOptions(plan)
  }
}

function madeBy(plan: WritingPlan, today: KubernetesObject | undefined): KubernetesObject | undefined {
  switch (plan.type) {
    case 'patch':
      return applyChanges(today && withoutNoise(today), plan.changes) as KubernetesObject
    case 'create':
      return plan.object
    case 'delete':
      return undefined
  }
}

/** Takes out what no screen shows; what differs still differs, by a key that nobody else has. */
function redactor({ object: { group, resource } }: Change): (object: KubernetesObject) => KubernetesObject {
  const key = randomBytes(32)
  const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('hex')
  const redact = createRedactor({ hmac, paths: [] })
  return (object) => redact({ group, resource }, withoutNoise(object))
}
