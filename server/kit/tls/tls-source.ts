/** A certificate chain and its private key, PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** Where a listener or client takes its certificate from, while it is renewed under it. */
export interface TlsSource {
  current(): KeyPair
  /** Called after each renewal; returns how to stop listening. */
  onChange(listener: () => void): () => void
}
