import { quantity } from './quantity.ts'
import type { ChosenRights } from './rights.ts'
import type { DeployValues, Writers } from './values.ts'

const MEBI = 2 ** 20

/** What all stores of the companion together may take of its volume. */
export const VOLUME_SHARE = 0.8

/** What a database may grow to where nothing is said. */
const DATABASE_SIZE = '20Gi'

/** Whether the installation records changes. */
export function records({ components }: DeployValues): boolean {
  return components.includes('audit-log')
}

/** A resource that users named: `certificates.v1.cert-manager.io`, or `endpoints.v1` of the core group. */
export function auditedName(text: string): { readonly resource: string; readonly group: string } {
  const [resource = '', , ...group] = text.split('.')
  return { resource, group: group.join('.') }
}

/** The rights that what is recorded beside the built-in resources needs. */
export function chosenResourceRights({ auditLog: { resources, watchSecrets } }: DeployValues): ChosenRights {
  const named = resources.map(auditedName)
  return {
    rights: [
      ...named.map(({ resource, group }) => ({
        apiGroups: [group],
        resources: [resource],
        verbs: ['list', 'watch'],
        why: 'what of the recorded writes landed (auditLog.resources)',
      })),
      ...(watchSecrets
        ? [
            {
              apiGroups: [''],
              resources: ['secrets'],
              verbs: ['list', 'watch'],
              why: 'which changes of Secrets landed, by their metadata (auditLog.watchSecrets); RBAC knows no right to metadata alone',
            },
          ]
        : []),
    ],
    takenOver: [
      ...(named.length === 0 ? [] : [`read all ${named.map(({ resource }) => resource).join(', ')}`]),
      ...(watchSecrets ? ['read all Secrets of the cluster'] : []),
    ],
  }
}

/** What the history may take, in whole mebibytes: of the volume what its other users leave. */
export function auditHistoryMebi({ components, storage, imageGraph, auditLog, store }: DeployValues): number {
  if (auditLog.historySize !== '') return mebi(auditLog.historySize)
  if (store.secret !== '') return mebi(DATABASE_SIZE)
  const images = components.includes('image-graph') ? mebi(imageGraph.historySize) : 0
  return Math.floor(mebi(storage.size) * VOLUME_SHARE) - images - mebi(auditLog.journalSize)
}

/** The settings of the companion that say what is recorded; lists as JSON, since names may hold commas. */
export function auditSettings(values: DeployValues): Readonly<Record<string, string | number | boolean>> {
  const { resources, exclude, include, conditions, ...auditLog } = values.auditLog
  return {
    'audit-resources': resources.join(','),
    ...writers('audit-exclude', exclude),
    ...writers('audit-include', include),
    // The keys in the order in which Helm's toRawJson writes them.
    'audit-conditions': JSON.stringify(conditions.map(({ expression, name }) => ({ expression, name }))),
    'audit-access': auditLog.access,
    'audit-watch-secrets': auditLog.watchSecrets,
    'audit-redact': JSON.stringify(auditLog.redact),
    'audit-history-days': auditLog.historyDays,
    'audit-secrets-days': auditLog.secretsDays,
    'audit-per-object': auditLog.perObject,
    'audit-keep-last': auditLog.keepLast,
    'audit-size': `${auditHistoryMebi(values)}Mi`,
    'audit-journal-size': auditLog.journalSize,
    'audit-export': auditLog.export.url,
    'audit-export-format': auditLog.export.format,
  }
}

function writers(
  prefix: string,
  { users, groups, namespaces, extra }: Writers,
): Readonly<Record<string, string>> {
  return {
    [`${prefix}-users`]: JSON.stringify(users),
    [`${prefix}-groups`]: JSON.stringify(groups),
    [`${prefix}-namespaces`]: JSON.stringify(namespaces),
    [`${prefix}-extra`]: JSON.stringify(extra),
  }
}

function mebi(size: string): number {
  return Math.floor((quantity(size) ?? 0) / MEBI)
}
