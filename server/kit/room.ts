import type { RecordingStatus } from '../../src/core/wire/companion-status.ts'
import type { ServedResource } from './api/resource.ts'
import type { Route } from './api/route.ts'

/** What a named probe answers; the reason is one clause without a full stop, for people. */
export interface ProbeAnswer {
  readonly ok: boolean
  readonly reason: string
}

/** A part of the companion's state that status and metrics tell: bytes on the volume, oldest record, and so on. */
export interface StoreUsage {
  readonly usedBytes: number
  /** What the room may use at most. */
  readonly limitBytes: number
  /** Epoch milliseconds of the oldest record; undefined where there is none. */
  readonly oldest: number | undefined
  /** Bytes that came in over the last day, or since the start where that is shorter; undefined before an hour has passed. */
  readonly bytesPerDay: number | undefined
}

/** One component of the companion: it owns its model and its store, and others see its resources only. */
export interface Room {
  /** As users write it in `--components`. */
  readonly name: string
  readonly resources: readonly ServedResource[]
  /** Further paths of the listener at the api's address, such as that of a webhook. */
  readonly routes?: readonly Route[]
  /** Works until the signal aborts; rejects only with what no waiting heals, and the process then ends. */
  run(signal: AbortSignal): Promise<void>
  /** Whether the first sync is done and answers are whole. */
  ready(): ProbeAnswer
  /** Whether the last step was finished within one and a half of its periods; false asks for a restart. */
  alive(): ProbeAnswer
  /** Undefined where nothing is kept. */
  storeUsage?(): StoreUsage
  /** Of a room that records what happens; undefined before it can tell. */
  recording?(): RecordingStatus | undefined
  /** The last look before the process ends: what must not outlive the companion, such as its webhook, is taken away. */
  beforeEnd?(signal: AbortSignal): Promise<void>
}
