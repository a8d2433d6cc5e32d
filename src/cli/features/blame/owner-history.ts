import { viaOf } from '../../../core/model/change-via.ts'
import { byNewest, managedFieldsOf, ownerOf } from '../../../core/model/field-owners.ts'
import { ownedValues } from '../../../core/model/field-owners-values.ts'
import type { KubernetesObject, ManagedFieldsEntry } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'
import { DECKWATCH_API_VERSION } from '../../../core/wire/image.ts'
import { withoutSecretValues } from './blamed-object-secret.ts'
import type { ResourceType } from './ports.ts'
import { isNoise, type Noise } from './select.ts'

/**
 * What managedFields tell without a companion: for each manager, operation and subresource the last write, the newest
 * first, those without a time last. In the form of changes, so that one view and one `-o json` show both, but as what
 * it is: `unattributed`, of no user, without a name; the fields are all that the manager owns, with today's values and
 * no old ones, since which of them that write changed is not kept. An empty time is one that managedFields do not have.
 */
export function ownerHistory(
  object: KubernetesObject,
  type: Pick<ResourceType, 'group' | 'version' | 'resource' | 'kind'>,
  include: ReadonlySet<Noise>,
): Change[] {
  const shown = withoutSecretValues(object)
  return managedFieldsOf(object)
    .map((entry) => ({ entry, owner: ownerOf(entry) }))
    .toSorted((a, b) => byNewest(a.owner, b.owner))
    .map(({ entry }) => changeOf(entry, shown, type, include))
    .filter(({ changes }) => changes.length > 0)
}

function changeOf(
  entry: ManagedFieldsEntry,
  object: KubernetesObject,
  { group, version, resource, kind }: Pick<ResourceType, 'group' | 'version' | 'resource' | 'kind'>,
  include: ReadonlySet<Noise>,
): Change {
  const { manager, operation, subresource, time } = ownerOf(entry)
  const { name = '', namespace = '', uid = '' } = object.metadata ?? {}
  const fields = ownedValues(entry.fieldsV1, object).filter(
    ({ path }) => !mayBeNoise(path) || !isNoise(path, include),
  )
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind: 'Change',
    operation: 'UPDATE',
    time: time === undefined ? '' : new Date(time).toISOString(),
    state: 'unattributed',
    reason: `from managedFields (${operation || 'Update'}): the last write of this manager, to any of these fields${time === undefined ? '; when is not known' : ''}`,
    object: {
      group,
      version,
      resource,
      subresource,
      kind,
      namespace,
      namespaceUid: '',
      name,
      uid,
      resourceVersion: { before: '', after: '' },
    },
    actor: 'unknown',
    via: viaOf({ manager, user: undefined, object }),
    changes: fields
      .toSorted((a, b) => Number(isMetadata(a.path)) - Number(isMetadata(b.path)))
      .map(({ path, value }) => ({ path, op: 'replace', to: value })),
  }
}

/** Spares nearly all fields the reading of their paths. */
function mayBeNoise(path: string): boolean {
  return path.startsWith('status') || isMetadata(path)
}

/** Labels and annotations are seldom what somebody looks for. */
function isMetadata(path: string): boolean {
  return path.startsWith('metadata')
}
