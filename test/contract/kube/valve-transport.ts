import type { KubeRequest, KubeResponse, KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'

/** A network cable between a client and its server that a test can pull out, or in which it can hold back a request. */
export class ValveTransport implements KubeTransport {
  readonly #behind: KubeTransport
  #running = new Set<AbortController>()
  #open = true
  #held:
    { matches: (request: KubeRequest) => boolean; arrived: () => void; released: Promise<void> } | undefined
  #watches = 0

  constructor(behind: KubeTransport) {
    this.#behind = behind
  }

  /** How many watches have been asked for. */
  get watches(): number {
    return this.#watches
  }

  /** Breaks what is under way and refuses what comes. */
  close(): void {
    this.#open = false
    this.cut()
  }

  /** Lets requests through again. */
  open(): void {
    this.#open = true
  }

  /** Breaks what is under way. */
  cut(): void {
    for (const running of this.#running)
      running.abort(new DeckError('KUBE_UNREACHABLE', 'the cable was pulled'))
  }

  /** Holds back the next request that matches: resolves once it has come, with the function that lets it go on. */
  async hold(matches: (request: KubeRequest) => boolean): Promise<() => void> {
    const arrived = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    this.#held = { matches, arrived: arrived.resolve, released: released.promise }
    await arrived.promise
    return released.resolve
  }

  async send(request: KubeRequest): Promise<KubeResponse> {
    if (request.path.includes('watch=true')) this.#watches += 1
    if (this.#held?.matches(request)) {
      const { arrived, released } = this.#held
      this.#held = undefined
      arrived()
      await released
    }
    if (!this.#open) throw new DeckError('KUBE_UNREACHABLE', 'the cable is out')
    const running = new AbortController()
    this.#running.add(running)
    const signal = request.signal ? AbortSignal.any([request.signal, running.signal]) : running.signal
    return this.#behind.send({ ...request, signal })
  }
}
