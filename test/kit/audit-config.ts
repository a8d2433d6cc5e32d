import type { AuditLogConfig, Exclusions } from '../../server/audit-log/config.ts'

/** Chooses nobody. */
export const NOBODY: Exclusions = { users: [], groups: [], namespaces: [], extra: [] }

/** What is recorded where all is that can be, but access. */
export const RECORDS_ALL = {
  auditExclude: NOBODY,
  auditInclude: NOBODY,
  auditConditions: [],
  auditAccess: false,
} satisfies Partial<AuditLogConfig>

/** Options of an audit log as an installation has them where nothing is said, on a volume of 1 GB. */
export function auditConfig(more: Partial<AuditLogConfig> = {}): AuditLogConfig {
  return {
    ...RECORDS_ALL,
    auditResources: [],
    auditWatchSecrets: false,
    auditRedact: [],
    auditHistoryMs: 30 * 86_400_000,
    auditSecretsMs: 7 * 86_400_000,
    auditPerObject: 100,
    auditKeepLast: 10,
    auditBytes: 8e8,
    auditJournalBytes: 256 * 2 ** 20,
    auditWebhook: 'deckwatch-audit-log',
    store: '',
    auditExport: undefined,
    ...more,
  }
}
