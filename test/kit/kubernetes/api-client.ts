import { Agent, request } from 'node:https'
import type { KeyPair } from './certificates.ts'

/** An answer of the API server other than 2xx. */
export class ApiStatusError extends Error {
  override readonly name = 'ApiStatusError'
  readonly status: number

  constructor(status: number, what: string, body: string) {
    super(`${what}: ${status} ${body.slice(0, 500)}`)
    this.status = status
  }
}

/** Where an `ApiClient` speaks to, and as whom. */
export interface ApiClientOptions {
  readonly url: string
  readonly ca: string
  readonly credential: KeyPair
  /** How many connections are kept alive at most; 8 by default. */
  readonly connections?: number
}

/** The kit's own small JSON client, so that filling a cluster depends on nothing that is under test. */
export class ApiClient {
  readonly #url: string
  readonly #agent: Agent

  constructor(options: ApiClientOptions) {
    const { certificate: cert, key } = options.credential
    this.#url = options.url
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: options.connections ?? 8,
      ca: options.ca,
      cert,
      key,
    })
  }

  /** Sends a JSON body and gives the parsed answer; a PATCH is a merge patch (RFC 7386). */
  async send<Answer = unknown>(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const text = await this.text(method, path, body, signal)
    return (text === '' ? undefined : JSON.parse(text)) as Answer
  }

  /** The same, with the answer as it came. */
  text(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.#url),
        {
          agent: this.#agent,
          method,
          headers: {
            accept: 'application/json',
            'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          },
          ...(signal ? { signal } : {}),
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.once('error', reject)
          answer.once('end', () => {
            const text = Buffer.concat(chunks).toString()
            const status = answer.statusCode ?? 0
            if (status >= 200 && status < 300) resolve(text)
            else reject(new ApiStatusError(status, `${method} ${path}`, text))
          })
        },
      )
      outgoing.once('error', reject)
      outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /** Closes the kept connections. */
  close(): void {
    this.#agent.destroy()
  }
}
