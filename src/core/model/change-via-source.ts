/** The object behind a source of changes, as the API serves it. */
export interface SourceObject {
  readonly group: string
  readonly version: string
  /** Plural: `applications`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
}

// The served versions of Argo CD, and of Flux since 2.0 and 2.3.
const KINDS: Readonly<Record<string, Pick<SourceObject, 'group' | 'version' | 'resource'>>> = {
  Application: { group: 'argoproj.io', version: 'v1alpha1', resource: 'applications' },
  Kustomization: { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', resource: 'kustomizations' },
  HelmRelease: { group: 'helm.toolkit.fluxcd.io', version: 'v2', resource: 'helmreleases' },
}

/**
 * The object that `via.source` names (`Application argocd/shop`), whose status tells its operations; undefined for a
 * release of Helm, which keeps them in Secrets, and where the namespace is not known.
 */
export function sourceObject(source: string): SourceObject | undefined {
  const [, kind = '', namespace, name] = /^(\w+) ([^/]+)\/([^/]+)$/.exec(source) ?? []
  const type = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  return type && namespace && name ? { ...type, namespace, name } : undefined
}
