import { auditedName, auditHistoryMebi, records, VOLUME_SHARE } from './audit-log.ts'
import { quantity } from './quantity.ts'
import { ValuesError } from './values-error.ts'
import type { DeployValues } from './values.ts'

const MEBI = 2 ** 20

/** Less is soon full of one large object's history. */
const LEAST_HISTORY_MEBI = 64

/** What shall not be recorded whatever anybody wishes, and why. */
const NEVER: Readonly<Record<string, string>> = {
  secrets: 'Secrets are recorded already; auditLog.watchSecrets=true watches them too',
  events: 'events are written all the time, and are a record themselves',
  'events.events.k8s.io': 'events are written all the time, and are a record themselves',
  'leases.coordination.k8s.io':
    'every leader of the cluster renews its Lease within seconds, and must not wait for anybody',
}

/** Throws a ValuesError where the values of the audit log cannot be together. */
export function checkAuditLog(values: DeployValues): void {
  const { auditLog, storage, store } = values
  for (const text of auditLog.resources) {
    const { resource, group } = auditedName(text)
    const why =
      NEVER[group === '' ? resource : `${resource}.${group}`] ??
      (group === 'admissionregistration.k8s.io' ? 'the API server sends no reviews of this group' : undefined)
    if (why !== undefined) {
      throw new ValuesError('auditLog.resources', `auditLog.resources=${text}: cannot be recorded: ${why}`)
    }
  }
  if (auditLog.keepLast > auditLog.perObject) {
    throw new ValuesError(
      'auditLog.keepLast',
      `auditLog.keepLast=${auditLog.keepLast}: must not be above auditLog.perObject=${auditLog.perObject}`,
    )
  }
  if (!records(values)) return
  const history = auditHistoryMebi(values)
  if (history < LEAST_HISTORY_MEBI) {
    throw new ValuesError(
      'storage.size',
      `storage.size=${storage.size}: leaves ${history}Mi for the history of changes, ${LEAST_HISTORY_MEBI}Mi are the least; ` +
        'set a larger one, or smaller auditLog.journalSize and imageGraph.historySize',
    )
  }
  const isOnVolume = store.secret === '' && storage.type !== 'hostPath'
  if (isOnVolume && history * MEBI > VOLUME_SHARE * (quantity(storage.size) ?? 0)) {
    throw new ValuesError(
      'auditLog.historySize',
      `auditLog.historySize=${auditLog.historySize}: must be at most 80 % of storage.size=${storage.size}`,
    )
  }
}

/** What is allowed and yet better known, one sentence each. */
export function auditWarnings(values: DeployValues): readonly string[] {
  const { auditLog, store, storage } = values
  if (!records(values)) {
    return store.secret === '' ? [] : ['store.secret has no effect without the component audit-log']
  }
  return [
    ...(auditLog.watchSecrets
      ? ['auditLog.watchSecrets=true: the companion may read every Secret of the cluster']
      : []),
    ...exportWarnings(auditLog.export),
    ...(storage.type === 'emptyDir'
      ? ['storage.type=emptyDir: reviews that were answered and not yet stored are lost with their pod']
      : []),
  ]
}

function exportWarnings({ url, secret }: DeployValues['auditLog']['export']): readonly string[] {
  if (url === '') {
    return secret.name === '' ? [] : ['auditLog.export.secret has no effect without auditLog.export.url']
  }
  if (!url.startsWith('http:')) return []
  const what = secret.name === '' ? 'changes' : 'changes, and the headers of the Secret,'
  return [`auditLog.export.url=${url}: ${what} cross the network unencrypted`]
}
