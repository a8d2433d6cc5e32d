import type { Log, LogFields } from '../../server/kit/log.ts'

/** One line of a log, as the parts that the logger was given. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

/** A log that keeps its lines for a test to look at. */
export interface RecordedLog extends Log {
  readonly lines: readonly LogLine[]
}

/** A log that prints nothing and keeps all. */
export function recordedLog(): RecordedLog {
  return logInto([], {})
}

function logInto(lines: LogLine[], bound: LogFields): RecordedLog {
  const write = (level: LogLine['level']) => (fields: LogFields, message: string) => {
    lines.push({ level, message, fields: { ...bound, ...fields } })
  }
  return {
    lines,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => logInto(lines, { ...bound, ...fields }),
  }
}
