import type { Clock } from '../../core/lib/time.ts'
import type { Output } from './output.ts'

/** What every command runs in: its streams, its time, and the signal that ends it (Ctrl-C, or a reader that went). */
export interface Session {
  readonly stdout: Output
  readonly stderr: Output
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
}
