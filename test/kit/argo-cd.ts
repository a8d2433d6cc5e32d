import type { KubernetesObject } from '@kubernetes/client-node'

/** The account that Argo CD applies with. */
export const ARGO_CD_ACCOUNT = { namespace: 'argocd', name: 'argocd-application-controller' }

/** The type of Applications, as far as is needed for one to be kept. */
export const ARGO_CD_APPLICATIONS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'applications.argoproj.io' },
  spec: {
    group: 'argoproj.io',
    scope: 'Namespaced',
    names: { plural: 'applications', singular: 'application', kind: 'Application' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
} satisfies KubernetesObject & { readonly spec: unknown }

/** A sync as Argo CD writes it down at its Application. */
export interface ArgoCdSync {
  /** RFC 3339, without milliseconds. */
  readonly startedAt: string
  readonly revision: string
  /** Who asked for it. */
  readonly username: string
}

/** The Application `shop` while it is synced. */
export function syncedApplication(
  namespace: string,
  { startedAt, revision, username }: ArgoCdSync,
): KubernetesObject & { readonly status: object } {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace },
    status: {
      operationState: {
        startedAt,
        operation: { initiatedBy: { username } },
        syncResult: { revision },
      },
    },
  }
}
