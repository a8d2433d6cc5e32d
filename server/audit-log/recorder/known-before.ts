import type { ReviewFacts } from '../../../src/core/model/change-facts.ts'
import { unseenReason } from '../../../src/core/model/unseen-change.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { RecordedResource } from '../config.ts'
import type { KnownBefore } from './resource-steps.ts'
import type { AuditStore, ChangeDecision, NumberedChange } from '../store/audit-store.ts'
import type { KnownNames } from './known-names.ts'
import { changeName } from '../change-name.ts'
import { resourceKey } from '../resource-key.ts'
import { deletionOf, type ObjectReading, replicasOf } from './watched-object.ts'

/** What an earlier run knew of the objects of a resource. */
export async function knownBefore(
  store: Pick<AuditStore, 'known'>,
  recorded: RecordedResource,
  hash: ObjectReading['hash'],
  names: KnownNames,
): Promise<ReadonlyMap<string, KnownBefore>> {
  const found = new Map<string, KnownBefore>()
  for await (const known of store.known(recorded.group, recorded.resource)) {
    const { uid, namespace, name, namespaceUid } = known.object
    const body = recorded.watch === 'full' ? (known.body as KubernetesObject | undefined) : undefined
    names.remember(known)
    found.set(uid, {
      uid,
      namespace,
      name,
      namespaceUid,
      state: { version: known.resourceVersion, hash: known.hash, content: body ? hash(body) : '' },
      replicas: body && replicasOf(body, recorded),
      deletion: body ? deletionOf(body) : '',
    })
  }
  return found
}

/**
 * What becomes of reviews of which an earlier run did not find out whether they landed, and that are not in the journal
 * any more: what they asked for can no longer be compared with what landed.
 */
export function abandonedChanges(
  open: readonly NumberedChange[],
  writer: number,
  takenUpTo: number,
): readonly ChangeDecision[] {
  return open
    .filter(({ state, id }) => state === 'pending' && id.writer === writer && id.seq <= takenUpTo)
    .map(({ id }) => ({
      id,
      state: 'not-landed',
      reason: unseenReason('recording was interrupted meanwhile'),
    }))
}

/** The facts of an admitted change as an earlier run kept them; `hash` is of what it asked for, where that is known. */
export function admittedFacts(
  { id, time, operation, object, user, changes }: NumberedChange,
  hash: string,
): ReviewFacts {
  return {
    id: changeName(id),
    time,
    operation,
    subresource: object.subresource,
    resource: resourceKey(object),
    uid: object.uid,
    name: `${object.namespace}/${object.name}`,
    oldVersion: object.resourceVersion.before,
    oldHash: '',
    oldContent: '',
    newHash: operation === 'DELETE' ? '' : hash,
    newContent: '',
    replicas: undefined,
    ends: false,
    finishes: false,
    user: user ?? { username: '', groups: [], extra: {} },
    paths: changes.map(({ path }) => path).join('\n'),
    truncated: false,
  }
}
