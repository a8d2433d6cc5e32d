import { type Clock, rfc3339Seconds } from '../../src/core/lib/time.ts'
import type {
  CertificateStatus,
  CompanionStatus,
  ComponentStatus,
} from '../../src/core/wire/companion-status.ts'
import { ExpiringCache } from './api/expiring-cache.ts'
import type { Probe } from './health.ts'
import type { Room, StoreUsage } from './room.ts'
import { volumeSpace } from './volume.ts'

/** What a pod's status is made of. */
export interface StatusParts {
  readonly version: string
  readonly pod: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** The api and the rooms of this pod. */
  readonly components: readonly (Probe & Pick<Room, 'storeUsage' | 'recording'>)[]
  /** The folder of the stores; undefined where nothing is kept. */
  readonly folder: string | undefined
  readonly certificates: () => readonly CertificateStatus[]
}

/** Anybody may ask, as often as they like, and to count what a store holds takes many milliseconds. */
const FRESH_MS = 1000

/** What /statusz answers, looked up once a second at most. */
export function createStatus(
  parts: () => StatusParts,
  clock: Pick<Clock, 'now'>,
): () => Promise<CompanionStatus> {
  const latest = new ExpiringCache<CompanionStatus>({ clock, ttlMs: FRESH_MS, maxEntries: 1 })
  return () => latest.get('', () => companionStatus(parts()))
}

/** The status of a pod as it is now. */
export async function companionStatus(parts: StatusParts): Promise<CompanionStatus> {
  const { version, pod, startedAt, components, folder, certificates } = parts
  const volume = folder === undefined ? undefined : await volumeSpace(folder)
  return {
    version,
    pod,
    startedAt: rfc3339Seconds(startedAt),
    components: components.map(componentStatus),
    ...(volume ? { volume } : {}),
    certificates: certificates(),
  }
}

function componentStatus(component: StatusParts['components'][number]): ComponentStatus {
  const [ready, alive] = [component.ready(), component.alive()]
  const store = component.storeUsage?.()
  const recording = component.recording?.()
  return {
    name: component.name,
    ready: ready.ok,
    alive: alive.ok,
    reason: alive.ok ? ready.reason : alive.reason,
    ...(store ? { store: storeStatus(store) } : {}),
    ...(recording ? { recording } : {}),
  }
}

function storeStatus({
  usedBytes,
  limitBytes,
  oldest,
  bytesPerDay,
}: StoreUsage): NonNullable<ComponentStatus['store']> {
  return {
    usedBytes,
    limitBytes,
    ...(oldest === undefined ? {} : { oldest: rfc3339Seconds(oldest) }),
    ...(bytesPerDay === undefined ? {} : { bytesPerDay }),
  }
}
