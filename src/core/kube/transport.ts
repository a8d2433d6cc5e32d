/** One HTTP request to an API server; `path` begins with `/` and carries its query, encoded. */
export interface KubeRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Media types in order of preference; `application/json` where left out. */
  readonly accept?: string
  readonly body?: string | Uint8Array
  readonly contentType?: string
  readonly signal?: AbortSignal | undefined
  /** A watch: no overall timeout applies, only the caller's signal ends it. */
  readonly streaming?: boolean
}

/** An answer whose headers have come; names of headers are lower case, the body is already decompressed. */
export interface KubeResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Read it to its end or abort the request, else the connection is lost to the pool. */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * A way to one API server with one identity: connection reuse, credentials and their renewal on 401 are inside.
 * `send` resolves for every HTTP status and rejects with a DeckError (KUBE_UNREACHABLE, KUBE_TLS, KUBE_TIMEOUT,
 * CREDENTIAL_PLUGIN) where none came; a body that ends early rejects with KUBE_UNREACHABLE while it is read.
 */
export interface KubeTransport {
  send(request: KubeRequest): Promise<KubeResponse>
  /** Closes idle connections; running requests end by their own signals. */
  close(): void
}

/** Reads a body to its end. */
export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}
