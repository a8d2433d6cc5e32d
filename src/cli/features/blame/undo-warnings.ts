import { gitOpsOwner, type GitOpsOwner } from '../../../core/model/change-via-owner.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'

const TOOLS = { 'argo-cd': 'Argo CD', flux: 'Flux', helm: 'Helm' } as const

/** Who may write what is taken back again, one sentence each. */
export function ownerWarnings({ via }: Change, object: KubernetesObject): string[] {
  const owner = gitOpsOwner(object, argoNamespace(via))
  const controller = object.metadata?.ownerReferences?.find((reference) => reference.controller)
  return [
    ...(owner ? [ownedBy(owner)] : writtenBy(via)),
    ...(controller
      ? [
          `${controller.kind} ${controller.name} makes this object and may write it again: undo the change there`,
        ]
      : []),
  ]
}

/** The object may name its Application alone: where that lies is known of a change that Argo CD made. */
function argoNamespace({ tool, source }: Change['via']): string {
  return (tool === 'argo-cd' && /^Application ([^/]+)\//.exec(source)?.[1]) || ''
}

function ownedBy({ tool, source }: GitOpsOwner): string {
  return tool === 'helm'
    ? `Helm owns this object (${source}): its next upgrade may bring the change again; undo it in the chart's values`
    : `${TOOLS[tool]} owns this object (${source}) and will put its own state back: undo the change in its source`
}

function writtenBy({ tool, source }: Change['via']): string[] {
  if (!isGitOps(tool)) return []
  const from = source === '' ? '' : ` (${source})`
  return [`${TOOLS[tool]} made this change${from} and may make it again: undo it in its source`]
}

function isGitOps(tool: string): tool is keyof typeof TOOLS {
  return Object.hasOwn(TOOLS, tool)
}

/** What else goes when an object is deleted. */
export function deletionWarnings({ kind = '', metadata }: KubernetesObject): string[] {
  const name = metadata?.name ?? ''
  switch (kind) {
    case 'Namespace':
      return [`Deleting namespace ${name} deletes everything in it`]
    case 'CustomResourceDefinition':
      return [`Deleting ${name} deletes every object of that kind in the cluster`]
    case 'PersistentVolumeClaim':
    case 'PersistentVolume':
      return [`The data on the volume of ${name} may be deleted with it`]
    default:
      return []
  }
}

/** What does not come back when an object is created again. */
export function recreationWarnings({ kind = '', metadata }: KubernetesObject): string[] {
  const name = metadata?.name ?? ''
  const owners = metadata?.ownerReferences?.map((owner) => `${owner.kind} ${owner.name}`) ?? []
  return [
    ...(kind === 'Namespace' ? [`What was in namespace ${name} does not come back with it`] : []),
    ...(kind === 'CustomResourceDefinition' ? [`The objects of that kind do not come back with it`] : []),
    ...(kind === 'PersistentVolumeClaim'
      ? [`The data of ${name} comes back only if its volume was kept`]
      : []),
    ...(owners.length > 0 ? [`It is deleted again if its owner is gone: ${owners.join(', ')}`] : []),
  ]
}
