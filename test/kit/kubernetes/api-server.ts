import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient } from './api-client.ts'
import type { Daemon } from './daemon.ts'

const START_LIMIT_MS = 60_000

/** The kube-apiserver of a control plane and the faults it can be made to have; port and certificates stay the same. */
export class ApiServer {
  readonly #daemon: Daemon
  readonly #admin: ApiClient

  constructor(daemon: Daemon, admin: ApiClient) {
    this.#daemon = daemon
    this.#admin = admin
  }

  get running(): boolean {
    return this.#daemon.running
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#daemon.pid
  }

  /** Its log, over all its starts. */
  get logFile(): string {
    return this.#daemon.logFile
  }

  /** Starts it, and waits until /readyz is ok. */
  async start(signal?: AbortSignal): Promise<void> {
    this.#daemon.start()
    const limit = AbortSignal.timeout(START_LIMIT_MS)
    for (;;) {
      signal?.throwIfAborted()
      this.#daemon.check()
      try {
        await this.#admin.text('GET', '/readyz', undefined, signal ? AbortSignal.any([signal, limit]) : limit)
        return
      } catch (error) {
        if (limit.aborted)
          throw new Error(`kube-apiserver is not ready after ${START_LIMIT_MS} ms`, { cause: error })
        await delay(50)
      }
    }
  }

  /** SIGKILL: every connection breaks at once, as when its machine dies. */
  async kill(): Promise<void> {
    await this.#daemon.kill()
  }

  /** Kills it and starts it again. */
  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  /** SIGSTOP: connections stay open, and nothing is answered. */
  pause(): void {
    this.#daemon.pause()
  }

  /** Ends `pause`. */
  resume(): void {
    this.#daemon.resume()
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    await this.#daemon.kill()
  }
}
