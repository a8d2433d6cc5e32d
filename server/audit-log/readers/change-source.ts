import type { AuditStore, AuditStoreState } from '../store/audit-store.ts'

/** How the recorder fares, as readers and probes must know it. */
export interface RecorderState {
  /** Undefined before the store was opened. */
  readonly store: AuditStoreState | undefined
  /** Whether the first sync is done and answers are whole; one clause of what it does, or waits for. */
  readonly ready: { readonly ok: boolean; readonly reason: string }
  /** Types of which there may be records. */
  readonly kinds: readonly { readonly group: string; readonly resource: string }[]
}

/** The state of a recorder whose store is open: its changes can be read. */
export type ReadableState = RecorderState & { readonly store: NonNullable<RecorderState['store']> }

/** Where changes are read, in this thread or through another. */
export interface ChangeSource extends Pick<
  AuditStore,
  'page' | 'get' | 'after' | 'touched' | 'count' | 'gaps'
> {
  /** Undefined before the recorder told anything. */
  readonly state: RecorderState | undefined
  /** Called after each change of the state; returns how to stop listening. */
  onState(listener: () => void): () => void
  /** Looks up the state anew, where another replica may have gone further than this one knows. */
  refresh?(): Promise<void>
}
