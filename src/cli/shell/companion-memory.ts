import type { CompanionState } from '../../core/kube/companion.ts'
import type { ClusterConnection } from '../../core/kube/connection.ts'
import type { Clock } from '../../core/lib/time.ts'
import { clusterCache } from './cluster-cache.ts'

/**
 * How long a state is believed, in milliseconds. One that is down may be back at any moment, and asking again costs no
 * more than the probe's time limit: it is remembered for those who run many commands at once only.
 */
const BELIEVED_MS: Readonly<Record<CompanionState['state'], number>> = {
  found: 600_000,
  absent: 60_000,
  down: 5000,
}

/** What was last found out about one cluster's companion, kept between runs. */
export interface CompanionMemory {
  /** Undefined where nothing is known, or for too long. */
  recall(): CompanionState | undefined
  /** Remembers; silently not where no file can be written. */
  keep(state: CompanionState): void
  forget(): void
}

/** What is written down; no secret. */
interface Entry {
  readonly state: CompanionState
  /** Epoch milliseconds. */
  readonly at: number
}

/** The memory of a cluster's companion. */
export function companionMemory(
  connection: Pick<ClusterConnection, 'server' | 'trust'>,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): CompanionMemory {
  const cache = clusterCache('companion', connection, environment)
  return {
    recall() {
      const entry = cache.read() as Partial<Entry> | null | undefined
      if (!entry?.state || entry.at === undefined || !isState(entry.state)) return undefined
      const age = clock.now() - entry.at
      // Of a clock that was set back nothing is known.
      return age >= 0 && age < BELIEVED_MS[entry.state.state] ? entry.state : undefined
    },
    keep(state) {
      cache.write({ state, at: clock.now() } satisfies Entry)
    },
    forget: () => cache.remove(),
  }
}

/** Another version may have written the file. */
function isState(value: Partial<Record<string, unknown>>): boolean {
  switch (value['state']) {
    case 'found':
      return Array.isArray(value['resources'])
    case 'down':
      return typeof value['reason'] === 'string'
    default:
      return value['state'] === 'absent'
  }
}
