import { KINDS, type Kind, type KindName } from './kinds.ts'
import { KUBE_SYSTEM } from './names.ts'

/** Where an installation has objects of one kind; each is found there by `OWNED_SELECTOR`. */
export interface OwnedKind extends Kind {
  readonly kind: KindName
  /** Undefined for cluster-scoped kinds. */
  readonly namespace: string | undefined
  /** What `uninstall --keep-data` leaves, with its namespace. */
  readonly holdsData: boolean
}

/**
 * All kinds of an installation in the order of removal: the webhook, on which every write waits up to its time limit, and
 * the APIService, without a server of which the cluster can delete no namespace, before what they point at; the
 * namespace, which takes along what is left in it, last.
 */
export function ownedKinds(namespace: string): readonly OwnedKind[] {
  return Object.keys(KINDS).flatMap((key) => {
    const name = key as KindName
    const kind: Kind = KINDS[name]
    const places = kind.namespaced
      ? [namespace, ...(name === 'RoleBinding' ? [KUBE_SYSTEM] : [])]
      : [undefined]
    return places.map((place) => ({
      ...kind,
      kind: name,
      namespace: place,
      holdsData: name === 'PersistentVolumeClaim',
    }))
  })
}
