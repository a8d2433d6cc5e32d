import { chosenComponents, podGroups, type PodGroup } from './pods.ts'
import type { GivenRole, Right } from './rights.ts'
import type { DeployValues } from './values.ts'

/** What the pods of one ServiceAccount may do, in words. */
export interface AccountRights {
  /** `deckwatch/deckwatch-api`: namespace and name of the ServiceAccount. */
  readonly account: string
  readonly components: readonly string[]
  readonly rights: readonly { readonly what: string; readonly why: string }[]
  /** What somebody could do who had taken over such a pod, one clause each. */
  readonly takenOver: readonly string[]
}

const API_TAKEN_OVER =
  "pose as the API group deckwatch.dev and answer wrongly there; read its callers' names; ask who may do what; " +
  'make Secrets and ConfigMaps in its namespace, read two Secrets there'

/** The rights of an installation by ServiceAccount, for people who decide about it. */
export function describeRights(values: DeployValues): readonly AccountRights[] {
  return podGroups(values).map((group) => ({
    account: `${values.namespace}/${group.name}`,
    components: group.components,
    rights: inWords(group, values.namespace),
    takenOver: [
      ...(group.servesApi ? [API_TAKEN_OVER] : []),
      ...chosenComponents(values)
        .filter(({ name }) => group.components.includes(name))
        .flatMap(({ takenOver, chosen }) => [takenOver, ...(chosen?.(values).takenOver ?? [])]),
    ],
  }))
}

function inWords({ rights }: PodGroup, namespace: string): AccountRights['rights'] {
  return [
    ...withoutCovered(rights.cluster).map((right) => ruleInWords(right, namespace, 'in the whole cluster')),
    ...withoutCovered(rights.namespace).map((right) =>
      ruleInWords(right, namespace, `in namespace ${namespace}`),
    ),
    ...(rights.clusterRoles ?? []).map((role) => roleInWords(role, 'ClusterRole')),
    ...(rights.kubeSystemRoles ?? []).map((role) => roleInWords(role, 'Role kube-system')),
  ]
}

/** Components that run together ask for some things each by itself: what another right gives too is said once. */
function withoutCovered(rights: readonly Right[]): readonly Right[] {
  return rights.filter(
    (right, place) =>
      !rights.some(
        (other, otherPlace) => covers(other, right) && (!covers(right, other) || otherPlace < place),
      ),
  )
}

function covers(wide: Right, narrow: Right): boolean {
  const thing = ({ apiGroups, resources, resourceNames }: Right): string =>
    JSON.stringify([apiGroups, resources, resourceNames])
  return thing(wide) === thing(narrow) && narrow.verbs.every((verb) => wide.verbs.includes(verb))
}

function ruleInWords(
  { apiGroups, resources, resourceNames, verbs, why }: Right,
  namespace: string,
  where: string,
) {
  const groups = apiGroups.filter((group) => group !== '')
  const kinds = resources.map((resource) => [resource, ...groups].join('.')).join(', ')
  const names = resourceNames?.map((name) => (name === '{namespace}' ? namespace : name)).join(', ')
  const what = `${verbs.join(', ')} ${kinds}${names === undefined ? ` ${where}` : ` named ${names}`}`
  return { what, why }
}

function roleInWords({ name, why }: GivenRole, kind: string) {
  return { what: `${kind}/${name}`, why }
}
