import type { KeyPair, TlsSource } from './tls-source.ts'

/** A TLS source whose owner puts a new pair in when there is one. */
export class RenewableTls implements TlsSource {
  #pair: KeyPair
  readonly #listeners = new Set<() => void>()

  constructor(initial: KeyPair) {
    this.#pair = initial
  }

  current(): KeyPair {
    return this.#pair
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells the listeners, unless it is the pair that is there already. */
  replace(pair: KeyPair): void {
    if (pair.certificate === this.#pair.certificate && pair.key === this.#pair.key) return
    this.#pair = pair
    for (const listener of this.#listeners) listener()
  }
}
