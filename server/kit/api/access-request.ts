import type { Caller } from './caller.ts'
import type { ServedResource } from './resource.ts'

/** What RBAC calls the ways to read. */
export type ReadVerb = 'get' | 'list' | 'watch'

/** Who wants to read what. */
export interface AccessRequest {
  readonly caller: Caller
  readonly verb: ReadVerb
  readonly resource: Pick<ServedResource, 'plural' | 'namespaced' | 'rightBehind'>
  /** Undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace: string | undefined
  /** Set for one object, also where a field selector names it: RBAC may allow just this name. */
  readonly name: string | undefined
}
