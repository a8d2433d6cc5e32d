/** A replica that receives reviews. */
export interface InboxWriter {
  readonly writer: number
  /** The last entry that it put here; 0 before the first. */
  readonly seq: number
  /** Epoch milliseconds by its own clock: everything that it had synced by then is here; 0 once it has ended in peace. */
  readonly heartbeat: number
  /** Of the last purge that its journal is known to be rid of. */
  readonly purged: number
}
