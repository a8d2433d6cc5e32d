import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Neither Go's clients, kubelets nor Prometheus send a request before the last one is answered. */
const MAX_UNANSWERED = 8

/**
 * Lets a connection have so many unanswered requests and no more. Two thousand fit into what Node reads at once, and
 * each would be begun at once: a few hundred connections could make any memory full.
 */
export class PipeliningGuard {
  readonly #unanswered = new WeakMap<Socket, number>()

  /** Whether the request may be handled; cuts the connection of one that is too many. */
  admits({ socket }: IncomingMessage, response: ServerResponse): boolean {
    // The rest of what was read at once still comes after the cut.
    if (socket.destroyed) return false
    const unanswered = this.#unanswered.get(socket) ?? 0
    if (unanswered >= MAX_UNANSWERED) {
      socket.destroy()
      return false
    }
    this.#unanswered.set(socket, unanswered + 1)
    response.once('close', () => this.#unanswered.set(socket, (this.#unanswered.get(socket) ?? 1) - 1))
    return true
  }
}
