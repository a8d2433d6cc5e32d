import type { Change } from '../../../src/core/wire/change.ts'
import type { ServedChange } from '../readers/served-change.ts'

/** A value as OTLP/HTTP writes it in JSON (opentelemetry-proto, common/v1 AnyValue). */
type AnyValue = { readonly stringValue: string } | { readonly boolValue: boolean }

interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

/** One log record (opentelemetry-proto, logs/v1 LogRecord), as far as changes need it. */
export interface OtlpLogRecord {
  /** Nanoseconds, as text: JSON's numbers are too small. */
  readonly timeUnixNano: string
  readonly observedTimeUnixNano: string
  readonly severityNumber: number
  readonly severityText: string
  readonly eventName: string
  readonly body: AnyValue
  readonly attributes: readonly KeyValue[]
}

/** The body of a request to `/v1/logs` (ExportLogsServiceRequest). */
export interface OtlpLogsRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] }
    readonly scopeLogs: readonly {
      readonly scope: { readonly name: string; readonly version: string }
      readonly logRecords: readonly OtlpLogRecord[]
    }[]
  }[]
}

/** SeverityNumber of INFO, and of WARN for what nobody is named for. */
const INFO = 9
const WARN = 13

/** The request that tells a collector of changes; the body of each record is the change as JSON, as the API serves it. */
export function otlpLogs(changes: readonly ServedChange[], now: number, version: string): OtlpLogsRequest {
  return {
    resourceLogs: [
      {
        resource: { attributes: [text('service.name', 'deckwatch-audit-log')] },
        scopeLogs: [
          {
            scope: { name: 'deckwatch.dev/audit-log', version },
            logRecords: changes.map((change) => logRecord(change, now)),
          },
        ],
      },
    ],
  }
}

function logRecord(change: ServedChange, now: number): OtlpLogRecord {
  const isNamed = change.user !== undefined
  return {
    timeUnixNano: nanoseconds(Date.parse(change.time)),
    observedTimeUnixNano: nanoseconds(now),
    severityNumber: isNamed ? INFO : WARN,
    severityText: isNamed ? 'INFO' : 'WARN',
    eventName: 'deckwatch.change',
    body: { stringValue: JSON.stringify(change) },
    attributes: attributesOf(change),
  }
}

/** Names of OpenTelemetry's semantic conventions where there are such (k8s.*, user.*), else our own. */
function attributesOf({ metadata, operation, state, object, user, via }: Change): KeyValue[] {
  const pairs: readonly (readonly [string, string])[] = [
    ['k8s.namespace.name', object.namespace],
    ['k8s.namespace.uid', object.namespaceUid],
    ['deckwatch.change.name', metadata?.name ?? ''],
    ['deckwatch.operation', operation],
    ['deckwatch.state', state],
    ['deckwatch.object.group', object.group],
    ['deckwatch.object.kind', object.kind],
    ['deckwatch.object.name', object.name],
    ['deckwatch.object.uid', object.uid],
    ['deckwatch.object.subresource', object.subresource],
    ['user.name', user?.username ?? ''],
    ['deckwatch.via.manager', via.manager],
    ['deckwatch.via.tool', via.tool],
    ['deckwatch.via.source', via.source],
  ]
  return [
    ...pairs.filter(([, value]) => value !== '').map(([key, value]) => text(key, value)),
    { key: 'deckwatch.via.manual', value: { boolValue: via.manual } },
  ]
}

function text(key: string, value: string): KeyValue {
  return { key, value: { stringValue: value } }
}

function nanoseconds(ms: number): string {
  return String(BigInt(ms) * 1_000_000n)
}
