/** How one of several pods becomes the only writer of a journal, by a Lease (coordination.k8s.io/v1). */
export interface Leadership {
  /**
   * Waits for the Lease, then runs the work with a signal that aborts when the Lease is lost or the outer signal
   * aborts, and so on until the outer signal aborts. Gives the Lease up on the way out, so that the next holder need not wait.
   */
  lead(work: (holding: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>
  /** Who holds the Lease as far as is known; undefined before the first look. */
  readonly holder: string | undefined
}
