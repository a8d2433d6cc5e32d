import type { ClusterConnection, ConnectionEnvironment } from './connection.ts'
import { processEnvironment } from './connection.ts'
import { createCredentials } from './connect-credentials.ts'
import { createConnectFiles } from './connect-files.ts'
import { impersonationHeaders } from './connect-headers.ts'
import type { TransportOptions } from './connect-session.ts'
import { hasProxyVariables } from './proxy-variables.ts'
import type { KubeTransport } from './transport.ts'

/** What may differ from one program to the next. */
export interface ConnectOptions {
  readonly environment?: ConnectionEnvironment
  /** Who we are in the API server's audit log. */
  readonly userAgent?: string
}

/** Whether Bun's fetch does all that this connection needs: no proxy, no header twice, ASCII only, no address as name. */
export function fetchServes(connection: ClusterConnection, environment: ConnectionEnvironment): boolean {
  if (!('Bun' in globalThis)) return false
  // Bun's fetch reads the process's own variables, by rules other than Go's.
  if (connection.proxyUrl || hasProxyVariables(environment.variables) || hasProxyVariables(process.env))
    return false
  if (/^[\d.]+$|:/.test(connection.trust.serverName ?? '')) return false
  const names = impersonationHeaders(connection.impersonate)
  return (
    new Set(names.map(([name]) => name.toLowerCase())).size === names.length &&
    names.every(([, value]) => /^[\u0020-\u007e]*$/.test(value))
  )
}

/** What either kind of transport to the connection stands on. */
export async function transportOptions(
  connection: ClusterConnection,
  { environment = processEnvironment(), userAgent = 'deckwatch' }: ConnectOptions = {},
): Promise<TransportOptions> {
  const files = createConnectFiles(environment)
  const credentials = await createCredentials(connection, environment, files)
  return { connection, environment, files, credentials, userAgent }
}

/**
 * A transport to the connection's server as its identity. What it runs on is loaded with the first request, so that
 * making one costs nothing.
 */
export function connect(connection: ClusterConnection, options: ConnectOptions = {}): KubeTransport {
  const { environment = processEnvironment() } = options
  let transport: Promise<KubeTransport> | undefined
  const load = async (): Promise<KubeTransport> => {
    const stands = await transportOptions(connection, { ...options, environment })
    if (fetchServes(connection, environment)) {
      const { createFetchTransport } = await import('./fetch-transport.ts')
      return createFetchTransport(stands)
    }
    const { createHttpsTransport } = await import('./https-transport.ts')
    return createHttpsTransport(stands)
  }
  return {
    async send(request) {
      transport ??= load()
      return (await transport).send(request)
    },
    close() {
      transport?.then((loaded) => loaded.close()).catch(() => undefined)
    },
  }
}
