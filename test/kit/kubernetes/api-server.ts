import type { ApiClient } from './api-client.ts'
import type { Daemon } from './daemon.ts'
import { untilReady } from './until-ready.ts'

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
    await untilReady(this.#daemon, (limit) => this.#admin.text('GET', '/readyz', undefined, limit), signal)
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
}
