import { actorOf } from '../../../src/core/model/actor.ts'
import type { ReviewFacts } from '../../../src/core/model/change-facts.ts'
import { viaOf } from '../../../src/core/model/change-via.ts'
import { formatPath } from '../../../src/core/model/field-path.ts'
import { listKeysOf } from '../../../src/core/model/list-keys.ts'
import { diffObjects } from '../../../src/core/model/object-diff.ts'
import { withoutNoise } from '../../../src/core/model/object-noise.ts'
import type { AdmissionRequest, KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { ChangeUser, FieldChange } from '../../../src/core/wire/change.ts'
import { changeName } from '../change-name.ts'
import type { RecordedResource } from '../config.ts'
import type { JournalEntry } from '../journal/journal.ts'
import type { ChangeRecord } from '../store/audit-store.ts'
import { resourceKey } from '../resource-key.ts'
import { newestEntry } from './silent-writes.ts'
import { type ObjectReading, replicasOf, seenState, SPEC_REPLICAS, typed } from './watched-object.ts'

/** What is known of the objects that reviews name, where the review itself does not tell. */
export interface ObjectNames {
  /** The object that has a name now. */
  object(resource: string, name: string): { readonly uid: string; readonly version: string } | undefined
  /** The uid that a namespace had at a time (epoch milliseconds); undefined where it is not known (yet). */
  namespaceUid(namespace: string, time: number): string | undefined
}

/** A review as it is joined and kept. */
export interface ReadReview {
  readonly facts: ReviewFacts
  readonly record: ChangeRecord
  /** The object as it is after the write, without noise; undefined where there is none, or it is not known. */
  readonly body: KubernetesObject | undefined
  /** The object that was written; of a DELETE as it was before. */
  readonly object: KubernetesObject | undefined
}

/** An UPDATE that changes nothing, or nothing that is more than noise. */
export type NoChange = 'no change'

/** Makes facts and a record of one journal entry; its objects are redacted already. */
export function readReview(
  { seq, received, request, truncated = false }: JournalEntry,
  recorded: RecordedResource,
  names: ObjectNames,
  context: { readonly writer: number; readonly hash: ObjectReading['hash'] },
): ReadReview | NoChange {
  const { subResource: subresource = '' } = request
  const isScale = subresource === 'scale'
  // Only these have the object itself; an exec or an eviction has options instead.
  const whole = subresource === '' || subresource === 'ephemeralcontainers' || subresource === 'resize'
  const [old, next] = [of(request.oldObject, recorded, whole), of(request.object, recorded, whole)]
  const written = next ?? old
  const before = whole && old ? seenState(recorded, old, context.hash) : undefined
  const after = whole && next ? seenState(recorded, next, context.hash) : undefined
  const scale = isScale ? { from: replicasOf(old ?? {}) ?? 0, to: replicasOf(next ?? {}) ?? 0 } : undefined
  if (recorded.watch !== 'metadata' && before && before.content === after?.content) return 'no change'
  const changes = scale ? scaleChange(scale, recorded) : whole && !truncated ? changesOf(old, next) : []
  if (request.operation === 'UPDATE' && !truncated && changes.length === 0) return 'no change'
  const namespace = request.namespace ?? written?.metadata?.namespace ?? ''
  const place = recorded.namespaced ? namespace : ''
  const name = written?.metadata?.name ?? request.name ?? ''
  const named = names.object(resourceKey(recorded), `${place}/${name}`)
  const uid = (whole || isScale ? written?.metadata?.uid : undefined) ?? ''
  const oldVersion = (whole || isScale ? old?.metadata?.resourceVersion : undefined) ?? ''
  const user = userOf(request)
  const actor = actorOf(user)
  // An eviction is a POST that deletes its pod.
  const operation = subresource === 'eviction' ? 'DELETE' : request.operation
  const manager =
    request.options?.fieldManager ?? (operation === 'DELETE' ? '' : newestEntry(next)?.manager) ?? ''
  const facts: ReviewFacts = {
    id: changeName({ writer: context.writer, seq }),
    time: received,
    operation,
    subresource,
    resource: resourceKey(recorded),
    uid,
    name: `${place}/${name}`,
    oldVersion,
    oldHash: before?.hash ?? '',
    oldContent: before?.content ?? '',
    newHash: after?.hash ?? '',
    newContent: after?.content ?? '',
    replicas: scale?.to,
    ends: operation === 'UPDATE' && whole && next !== undefined && endsWith(next),
    finishes:
      operation === 'DELETE' &&
      old?.metadata?.deletionTimestamp !== undefined &&
      (actor === 'node' || actor === 'control-plane'),
    user,
    paths: changes.map(({ path }) => path).join('\n'),
    truncated,
  }
  const record: ChangeRecord = {
    id: { writer: context.writer, seq },
    time: received,
    operation,
    state: 'pending',
    reason: '',
    object: {
      group: recorded.group,
      version: recorded.version,
      resource: recorded.resource,
      subresource,
      kind: recorded.kind,
      namespace: place,
      namespaceUid: place === '' ? '' : (names.namespaceUid(place, bornBy(old, received)) ?? ''),
      name,
      uid: uid === '' ? (named?.uid ?? '') : uid,
      resourceVersion: {
        before: oldVersion === '' && uid === '' ? (named?.version ?? '') : oldVersion,
        after: '',
      },
    },
    user,
    actor,
    via: viaOf({ manager, user, object: written }),
    changes,
    ...(truncated ? { truncated } : {}),
  }
  return {
    facts,
    record,
    body: whole && next ? withoutNoise(next) : undefined,
    object: whole ? written : undefined,
  }
}

/**
 * When an object was there at the latest, in epoch milliseconds: it never changes its namespace, while the name of that
 * may pass to another within the second in which the object ends.
 */
function bornBy(old: KubernetesObject | undefined, received: number): number {
  const created = Date.parse(old?.metadata?.creationTimestamp ?? '')
  return Number.isNaN(created) ? received : Math.min(created, received)
}

/** What differs between two states of an object, without noise. */
function changesOf(
  old: KubernetesObject | undefined,
  next: KubernetesObject | undefined,
): readonly FieldChange[] {
  return diffObjects(old && withoutNoise(old), next && withoutNoise(next), listKeysOf(next, old))
}

function of(
  object: KubernetesObject | null | undefined,
  recorded: RecordedResource,
  whole: boolean,
): KubernetesObject | undefined {
  if (object === null || object === undefined) return undefined
  return whole ? typed(recorded, object) : object
}

function scaleChange(
  { from, to }: { readonly from: number; readonly to: number },
  { replicas = SPEC_REPLICAS }: RecordedResource,
): readonly FieldChange[] {
  const path = formatPath(replicas.map((key) => ({ key })))
  return from === to ? [] : [{ path, op: 'replace', from, to }]
}

/** With its last finalizer an object that is being deleted goes, where no grace period is left. */
function endsWith({ metadata }: KubernetesObject): boolean {
  const grace = metadata?.['deletionGracePeriodSeconds']
  const ending = metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0
  return ending && (grace === undefined || grace === 0)
}

function userOf({ userInfo }: AdmissionRequest): ChangeUser {
  const { username = '', uid, groups = [], extra = {} } = userInfo
  return { username, ...(uid === undefined || uid === '' ? {} : { uid }), groups, extra }
}
