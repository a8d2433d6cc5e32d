import { rfc3339Seconds } from '../../../src/core/lib/time.ts'
import { objectUid } from '../../../src/core/model/object-uid.ts'
import type { Change } from '../../../src/core/wire/change.ts'
import { DECKWATCH_API_VERSION } from '../../../src/core/wire/image.ts'
import type { ServedObject } from '../../kit/api/resource.ts'
import { changeName } from '../change-name.ts'
import type { NumberedChange } from '../store/audit-store.ts'

/** A Change or ClusterChange as it is served. */
export type ServedChange = Change & ServedObject

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
