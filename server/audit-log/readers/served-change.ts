import { rfc3339Seconds } from '../../../src/core/lib/time.ts'
import { objectUid } from '../../../src/core/model/object-uid.ts'
import type { Change } from '../../../src/core/wire/change.ts'
import { DECKWATCH_API_VERSION } from '../../../src/core/wire/image.ts'
import type { ServedObject } from '../../kit/api/resource.ts'
import type { ChangeId, NumberedChange } from '../store/audit-store.ts'

/** A Change or ClusterChange as it is served. */
export type ServedChange = Change & ServedObject

/** `<writer>-<seq>`: what the audit annotation carries too. */
export function changeName({ writer, seq }: ChangeId): string {
  return `${writer}-${seq}`
}

/** The id in a name; undefined where it is none. */
export function changeId(name: string): ChangeId | undefined {
  const [, writer, seq] = /^(0|[1-9]\d{0,9})-([1-9]\d{0,14})$/.exec(name) ?? []
  return writer === undefined || seq === undefined ? undefined : { writer: Number(writer), seq: Number(seq) }
}

/** The change as an object of its namespace, or of the cluster. */
export function servedChange(change: NumberedChange, cluster: boolean): ServedChange {
  const { id, number, time, ...told } = change
  const kind = cluster ? 'ClusterChange' : 'Change'
  const name = changeName(id)
  const { namespace } = change.object
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind,
    metadata: {
      name,
      ...(cluster ? {} : { namespace }),
      uid: objectUid(kind, name),
      resourceVersion: String(number),
      creationTimestamp: rfc3339Seconds(time),
    },
    ...told,
    time: new Date(time).toISOString(),
  }
}
