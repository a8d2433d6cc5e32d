import { createHash } from 'node:crypto'
import { auditSettings, records } from './audit-log.ts'
import { labelsOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { NAMES } from './names.ts'
import type { DeployValues } from './values.ts'

/** Where the companion finds its configuration, its store and its token for other pods of the companion. */
export const FOLDERS = {
  config: '/etc/deckwatch',
  data: '/data',
  token: '/var/run/secrets/deckwatch',
} as const

/** The file that all pods of the companion read; what differs among them they are told by flags. */
function configFile(values: DeployValues): string {
  const { namespace, ports, metrics, logLevel, imageGraph } = values
  const settings = {
    namespace,
    service: NAMES.companion,
    data: FOLDERS.data,
    'api-address': `:${ports.api}`,
    'peer-address': `:${ports.peer}`,
    'metrics-address': `:${ports.metrics}`,
    'metrics-auth': metrics.auth,
    'log-level': logLevel,
    'history-days': imageGraph.historyDays,
    'history-events': imageGraph.historyEvents,
    'history-size': imageGraph.historySize,
    ...(records(values) ? auditSettings(values) : {}),
  }
  // JSON's scalars are YAML's.
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('')
}

/** Changes with the file, so that pods, which read it only at their start, are replaced. */
export function configHash(values: DeployValues): string {
  return createHash('sha256').update(configFile(values)).digest('hex')
}

/** The ConfigMap with the file. */
export function config(values: DeployValues): Manifest {
  return makeManifest('config', {
    kind: 'ConfigMap',
    name: NAMES.config,
    namespace: values.namespace,
    labels: labelsOf('companion'),
    fields: { data: { 'config.yaml': configFile(values) } },
  })
}
