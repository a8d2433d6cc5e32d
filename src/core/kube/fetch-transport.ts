import { createSession } from './connect-session.ts'
import type { TransportOptions, Wire, WireRequest } from './connect-session.ts'
import type { TlsMaterial } from './tls.ts'
import type { KubeResponse, KubeTransport } from './transport.ts'

/** What Bun's fetch takes beyond the standard's. */
interface BunRequestInit extends RequestInit {
  readonly tls?: TlsMaterial | undefined
  /** False: no limit on idle time; a watch may be quiet for longer than Bun's five minutes. */
  readonly timeout: false
}

// After this long without an answer it is asked whether the server can be connected to at all.
const PATIENCE_MS = 2000
const PROBE_MS = 3000

// fetch has no connect timeout and does not say whether it is connected: a connection beside it does.
function watchOver(
  { material, signal }: WireRequest,
  server: URL,
  giveUp: (error: Error) => void,
): () => void {
  let over = false
  const timer = setTimeout(() => {
    void (async () => {
      const { openConnection } = await import('./https-transport-connection.ts')
      const anyone = material && { ...material, cert: undefined, key: undefined, rejectUnauthorized: false }
      try {
        const socket = await openConnection(server, anyone, undefined, PROBE_MS)
        socket.destroy()
      } catch (error) {
        if (!over && !signal.aborted && (error as NodeJS.ErrnoException).code === 'ETIMEDOUT')
          giveUp(error as Error)
      }
    })()
  }, PATIENCE_MS)
  timer.unref()
  return () => {
    over = true
    clearTimeout(timer)
  }
}

function createFetchWire(options: TransportOptions): Wire {
  const server = new URL(options.connection.server)
  let plain: Wire | undefined

  return {
    async send(wired): Promise<KubeResponse> {
      const { method, url, headers, body, material, signal } = wired
      const controller = new AbortController()
      const abort = (): void => controller.abort(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      const forget = watchOver(wired, server, (error) => controller.abort(error))
      const init: BunRequestInit = {
        method,
        headers: headers.map(([name, value]) => [name, value]),
        redirect: 'manual',
        signal: controller.signal,
        tls: material,
        timeout: false,
        ...(body === undefined ? {} : { body }),
      }
      try {
        const response = await fetch(url, init)
        return {
          status: response.status,
          headers: Object.fromEntries(response.headers),
          body: bodyOf(response, () => signal.removeEventListener('abort', abort)),
        }
      } catch (error) {
        signal.removeEventListener('abort', abort)
        if ((error as NodeJS.ErrnoException).code !== 'EPROTO') throw error
        // fetch does not say at what the handshake failed; node:tls does, and nothing has been sent yet.
        const { createHttpsWire } = await import('./https-transport.ts')
        plain ??= createHttpsWire(options)
        return await plain.send(wired)
      } finally {
        forget()
      }
    },
    // Bun keeps and closes idle connections of fetch itself; they do not hold the process.
    close: () => plain?.close(),
  }
}

async function* bodyOf(response: Response, ended: () => void): AsyncGenerator<Uint8Array> {
  try {
    if (response.body) yield* response.body
  } finally {
    ended()
  }
}

/**
 * Reaches the server by Bun's own fetch, which answers in half the time of node:https. It has no proxy of ours, joins
 * headers of one name into one, and exists under Bun only: `connect` knows when it serves.
 */
export function createFetchTransport(options: TransportOptions): KubeTransport {
  return createSession(options, createFetchWire(options))
}
