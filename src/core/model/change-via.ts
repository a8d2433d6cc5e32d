import type { KubernetesObject } from '../wire/admission-review.ts'
import type { ChangeUser, ChangeVia } from '../wire/change.ts'
import { actorOf, serviceAccountOf } from './actor.ts'
import { argoApplication, fluxKustomization, fluxRelease, helmRelease } from './change-via-owner.ts'
import { toolOfAccount, toolOfManager } from './change-via-tools.ts'

/** What is known of one write. */
export interface WrittenBy {
  /** The field manager; empty or undefined where the request named none. */
  readonly manager: string | undefined
  /** Undefined where there was no review. */
  readonly user: Pick<ChangeUser, 'username'> | undefined
  /** As it was written; of a DELETE as it was before. */
  readonly object: KubernetesObject | undefined
}

/**
 * With what, and on whose behalf, a change was made. A source is named only where the writer was the tool that owns
 * the object: an edit by hand of what Argo CD tracks is kubectl's, without a source. The revision and who asked for it
 * stand in the source's own status (`readGitOpsOperation`) and are empty here.
 */
export function viaOf({ manager = '', user, object }: WrittenBy): ChangeVia {
  const account = serviceAccountOf(user?.username ?? '')
  // The account is proven by Kubernetes, the manager is what the client says: Argo CD ran kubectl once.
  const { tool, byHand } = (account && toolOfAccount(account.name)) ?? toolOfManager(manager)
  const actor = actorOf(user)
  const source = object ? sourceOf(tool, manager || (account?.name ?? ''), object, account?.namespace) : ''
  return {
    manager,
    tool: tool === '' && actor === 'control-plane' ? 'kubernetes' : tool,
    source,
    revision: '',
    initiatedBy: '',
    // A DELETE and a scale name no manager: then a person's account is what is known.
    manual: actor !== 'node' && actor !== 'control-plane' && (byHand || (tool === '' && actor === 'person')),
  }
}

function sourceOf(tool: string, writer: string, object: KubernetesObject, namespace = ''): string {
  switch (tool) {
    case 'argo-cd':
      return argoApplication(object, namespace)
    case 'flux':
      return writer === 'helm-controller' ? fluxRelease(object) : fluxKustomization(object)
    case 'helm':
      return helmRelease(object)
    default:
      return ''
  }
}
