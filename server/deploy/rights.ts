/** One rule of RBAC and why it is needed. */
export interface Right {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  /** `{namespace}` stands for the namespace of the installation. */
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
  readonly why: string
}

/** A role that Kubernetes brings along, and why it is needed. */
export interface GivenRole {
  readonly name: string
  readonly why: string
}

/** The form of each `rights.ts`: what a component may do, and why; manifests, documents and tests are made from it. */
export interface Rights {
  /** In every namespace, and on what has none. */
  readonly cluster: readonly Right[]
  /** In the namespace of the installation. */
  readonly namespace: readonly Right[]
  readonly clusterRoles?: readonly GivenRole[]
  /** Roles of the namespace kube-system. */
  readonly kubeSystemRoles?: readonly GivenRole[]
}

/** Rights in the whole cluster that users gave by their values, and what they would mean to somebody else. */
export interface ChosenRights {
  readonly rights: readonly Right[]
  readonly takenOver: readonly string[]
}

/** The rights that remain of several together, without what one of them says twice. */
export function uniteRights(all: readonly Rights[]): Rights {
  const givenOnce = (roles: readonly GivenRole[]): readonly GivenRole[] => [
    ...new Map(roles.map((role) => [role.name, role])).values(),
  ]
  return {
    cluster: all.flatMap(({ cluster }) => cluster),
    namespace: all.flatMap(({ namespace }) => namespace),
    clusterRoles: givenOnce(all.flatMap(({ clusterRoles }) => clusterRoles ?? [])),
    kubeSystemRoles: givenOnce(all.flatMap(({ kubeSystemRoles }) => kubeSystemRoles ?? [])),
  }
}
