import { qualifiedName, type ApiResource } from '../../../core/kube/api-resource.ts'
import { parseTypeArguments } from '../../../core/kube/type-arguments.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { ApiTypes } from '../../shell/api-types.ts'

/** Objects of one type that a command line means. */
export interface Target {
  readonly type: ApiResource
  /** Undefined for all namespaces, and for types that have none. */
  readonly namespace: string | undefined
  /** Undefined: all objects of the type. */
  readonly names: readonly string[] | undefined
}

/** Where the words of a command line are looked for. */
export interface TargetScope {
  /** Of the connection. */
  readonly namespace: string
  readonly allNamespaces: boolean
}

/** What the words of a command line mean; empty without words. Throws DeckErrors USAGE. */
export async function findTargets(
  words: readonly string[],
  types: ApiTypes,
  { namespace, allNamespaces }: TargetScope,
): Promise<readonly Target[]> {
  const targets: Target[] = []
  for (const { type: word, names } of parseTypeArguments(words)) {
    const type = await types.find(word)
    if (allNamespaces && names.length > 0 && type.namespaced) {
      throw new DeckError('USAGE', 'an object cannot be named across all namespaces', {
        hint: `Give -n NAMESPACE, or leave out the name: all ${type.resource}, with -A.`,
      })
    }
    targets.push({
      type,
      namespace: type.namespaced && !allNamespaces ? namespace : undefined,
      names: names.length > 0 ? names : undefined,
    })
  }
  return targets
}

/** What an answer is about. */
export interface Subject {
  /** `deployment/web in shop`, `deployments in all namespaces`, `clusterrole/admin`. */
  readonly text: string
  /** One object was named. */
  readonly single: boolean
  readonly allNamespaces: boolean
}

/** What the targets of a command line are about. */
export function subjectOf(targets: readonly Target[]): Subject {
  const what = targets.map(({ type, names }) =>
    names === undefined
      ? type.resource
      : names.length === 1
        ? `${type.singular}/${names[0]}`
        : `${type.resource} ${names.join(', ')}`,
  )
  const placed = targets.find(({ type }) => type.namespaced)
  const where = placed ? ` in ${placed.namespace ?? 'all namespaces'}` : ''
  return {
    text: `${what.join(', ')}${where}`,
    single: targets.length === 1 && targets[0]?.names?.length === 1,
    allNamespaces: placed !== undefined && placed.namespace === undefined,
  }
}

/** How kubectl names an object of a type: `deployment.apps/web`. */
export function objectName(type: ApiResource, name: string): string {
  return `${qualifiedName({ ...type, resource: type.singular })}/${name}`
}
