import type { Clock } from '../../core/lib/time.ts'
import type { Output } from './output.ts'

/** What every command runs in: its streams, its time, and the signal that ends it (Ctrl-C, or a reader that went). */
export interface Session {
  /** How the program was called: `kubectl` before a plugin's own name, `kubectl deckwatch` before the long form. */
  readonly calledAs: string
  readonly stdout: Output
  readonly stderr: Output
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
}
