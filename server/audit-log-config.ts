import type { AuditLogConfig } from './audit-log/index.ts'
import type { Config } from './kit/config/config.ts'
import { volumeBytes } from './kit/volume.ts'

/** The options of the audit log, as its room knows them. */
export function auditLogConfig(config: Config): AuditLogConfig {
  const { auditSize, data } = config
  return {
    auditResources: config.auditResources,
    auditExclude: {
      users: config.auditExcludeUsers,
      groups: config.auditExcludeGroups,
      namespaces: config.auditExcludeNamespaces,
      extra: config.auditExcludeExtra,
    },
    auditInclude: {
      users: config.auditIncludeUsers,
      groups: config.auditIncludeGroups,
      namespaces: config.auditIncludeNamespaces,
      extra: config.auditIncludeExtra,
    },
    auditConditions: config.auditConditions,
    auditAccess: config.auditAccess,
    auditWatchSecrets: config.auditWatchSecrets,
    auditRedact: config.auditRedact,
    auditHistoryMs: config.auditHistoryMs,
    auditSecretsMs: config.auditSecretsMs,
    auditPerObject: config.auditPerObject,
    auditKeepLast: config.auditKeepLast,
    auditBytes: 'bytes' in auditSize ? auditSize.bytes : Math.floor(volumeBytes(data) * auditSize.share),
    auditJournalBytes: config.auditJournalBytes,
    auditWebhook: config.auditWebhook,
    store: config.store,
    auditExport:
      config.auditExport === ''
        ? undefined
        : {
            url: config.auditExport,
            format: config.auditExportFormat,
            headers: config.auditExportHeaders,
          },
  }
}
