import { pino } from 'pino'

/** Structured log of the companion: one JSON object a line. Fields never hold secrets or bodies. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  /** `err` is written with its message, stack and causes. */
  error(fields: LogFields, message: string): void
  /** The same log with these fields in each line. */
  child(fields: LogFields): Log
}

/** Fields of a log line besides time, level and message. */
export type LogFields = Readonly<Record<string, unknown>>

/** The levels of `--log-level`, quietest last. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** A log that writes JSON lines to stdout, synchronously so that the last line before a crash is there too. */
export function createLog(level: (typeof LOG_LEVELS)[number]): Log {
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 1, sync: true }),
  )
}
