import type { KubernetesObject } from '../wire/admission-review.ts'
import { toolOfManager } from './change-via-tools.ts'

/** The tool that keeps an object as somewhere else describes it, and the object of that tool that stands for it. */
export interface GitOpsOwner {
  readonly tool: 'argo-cd' | 'flux' | 'helm'
  /** `Application argocd/shop`, `Kustomization flux-system/apps`, `HelmRelease shop/web`, `release shop/web`; empty where only the tool is known. */
  readonly source: string
}

/**
 * Who owns an object by its tracking annotations and labels, so that somebody who changes it by hand can be warned
 * that the change will be undone. It says nothing about who wrote: the marks stay through everybody's writes.
 */
export function gitOpsOwner(object: KubernetesObject, argoNamespace = ''): GitOpsOwner | undefined {
  const argo = argoApplication(object, argoNamespace)
  if (argo !== '') return { tool: 'argo-cd', source: argo }
  const flux = fluxRelease(object) || fluxKustomization(object)
  if (flux !== '') return { tool: 'flux', source: flux }
  const release = helmRelease(object)
  return release === '' ? undefined : { tool: 'helm', source: release }
}

/**
 * `Application NAMESPACE/NAME` of an object that Argo CD tracks, else empty. Sources:
 * https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/ (the annotation is the default since 3.0, the
 * label before) and util/argo/resource_tracking.go. An Application outside of Argo CD's own namespace is tracked as
 * `namespace_name` (https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/); no name has an
 * underscore of its own. `namespace` is Argo CD's own, where known.
 */
export function argoApplication(object: KubernetesObject, namespace = ''): string {
  const instance = trackedInstance(object)
  if (instance === '') return ''
  const mark = instance.indexOf('_')
  if (mark > 0) return `Application ${instance.slice(0, mark)}/${instance.slice(mark + 1)}`
  return namespace === '' ? `Application ${instance}` : `Application ${namespace}/${instance}`
}

function trackedInstance(object: KubernetesObject): string {
  const { annotations, labels, managedFields } = object.metadata ?? {}
  const tracking = annotations?.['argocd.argoproj.io/tracking-id']
  // app:group/Kind:namespace/name. Controllers copy annotations, as from a Deployment to its ReplicaSets: such a copy
  // names another object.
  const [, app, kind, namespace, name] = /^([^:]+):[^/:]*\/([^:]+):([^/]*)\/(.+)$/.exec(tracking ?? '') ?? []
  if (app !== undefined) {
    const own = object.metadata?.namespace
    const fits =
      (object.kind === undefined || kind === object.kind) &&
      name === object.metadata?.name &&
      (own === undefined || own === '' || own === namespace)
    return fits ? app : ''
  }
  const instance = labels?.['argocd.argoproj.io/instance']
  if (instance !== undefined) return instance
  // Every Helm chart writes this label too: it is Argo CD's only where Argo CD owns fields.
  const argoWrote = managedFields?.some(({ manager }) => toolOfManager(manager ?? '').tool === 'argo-cd')
  return (argoWrote && labels?.['app.kubernetes.io/instance']) || ''
}

/** `Kustomization NAMESPACE/NAME` by the labels that kustomize-controller puts on all that it applies, else empty (https://fluxcd.io/flux/components/kustomize/kustomizations/). */
export function fluxKustomization(object: KubernetesObject): string {
  return fluxSource(object, 'kustomize', 'Kustomization')
}

/** `HelmRelease NAMESPACE/NAME` by the labels that helm-controller's post-renderer adds, else empty (https://github.com/fluxcd/helm-controller/blob/main/CHANGELOG.md#090). */
export function fluxRelease(object: KubernetesObject): string {
  return fluxSource(object, 'helm', 'HelmRelease')
}

function fluxSource({ metadata }: KubernetesObject, part: string, kind: string): string {
  const name = metadata?.labels?.[`${part}.toolkit.fluxcd.io/name`]
  const namespace = metadata?.labels?.[`${part}.toolkit.fluxcd.io/namespace`]
  return name && namespace ? `${kind} ${namespace}/${name}` : ''
}

/** `release NAMESPACE/NAME` of an object that Helm owns, else empty: Helm itself asks for all three marks (helm pkg/action/validate.go). */
export function helmRelease({ metadata }: KubernetesObject): string {
  const name = metadata?.annotations?.['meta.helm.sh/release-name']
  const namespace = metadata?.annotations?.['meta.helm.sh/release-namespace']
  const managed = metadata?.labels?.['app.kubernetes.io/managed-by'] === 'Helm'
  return managed && name && namespace ? `release ${namespace}/${name}` : ''
}
