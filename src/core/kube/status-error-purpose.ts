import type { ClusterConnection } from './connection.ts'

/** What a request wanted, in the words of a person's question. */
export interface RequestPurpose {
  /** Kubernetes' verb: list, watch, get, create … */
  readonly verb: string
  /** `pods`, `deployments.apps`, `pods/log`. */
  readonly resource: string
  readonly name?: string | undefined
  /** Left out: in all namespaces, or the resource has none. */
  readonly namespace?: string | undefined
  /** Whether the resource has namespaces, so that asking for one may help; true where left out. */
  readonly namespaced?: boolean | undefined
  /** Who asked whom. */
  readonly identity?: RequestIdentity | undefined
}

/** The parts of a connection that an error names; never a secret of it. */
export type RequestIdentity = Pick<ClusterConnection, 'contextName' | 'userName' | 'server'> &
  Partial<Pick<ClusterConnection, 'auth' | 'clientCertificate'>>

/** `list pods in all namespaces`, `get deployments.apps "web" in namespace shop`. */
export function purposeText({ verb, resource, name, namespace, namespaced = true }: RequestPurpose): string {
  const object = name === undefined ? '' : ` ${JSON.stringify(name)}`
  const where =
    namespace === undefined ? (namespaced ? ' in all namespaces' : '') : ` in namespace ${namespace}`
  return `${verb} ${resource}${object}${where}`
}
