import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { forwardsTo } from './proxy.ts'
import { openProxy } from './proxy-tunnel.ts'
import type { TunnelTrust } from './proxy-tunnel.ts'
import { trustedRoots } from './tls.ts'
import type { TlsMaterial } from './tls.ts'

// Name lookup, proxy and TLS handshake included.
const CONNECT_TIMEOUT_MS = 5000

const KEEP_ALIVE_MS = 30_000

function tlsOptions(host: string, { serverName, ...material }: TlsMaterial): ConnectionOptions {
  const name = serverName ?? host
  return {
    ...material,
    ALPNProtocols: ['http/1.1'],
    // RFC 6066: an address is never sent as the server's name.
    ...(isIP(name) ? {} : { servername: name }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  }
}

// kubectl believes only the cluster's authority here too, where a proxy's certificate is mostly of a public one.
function proxyTrust(material: TlsMaterial | undefined): TunnelTrust {
  if (material?.rejectUnauthorized === false) return { ca: undefined, rejectUnauthorized: false }
  return { ca: [...new Set([...trustedRoots(), ...[material?.ca ?? []].flat()])], rejectUnauthorized: true }
}

/**
 * A connection that is ready for HTTP: through the proxy or to one that forwards, and after the TLS handshake where there is material. Rejects
 * with code ETIMEDOUT when that takes longer than `timeoutMs`.
 */
export async function openConnection(
  server: URL,
  material: TlsMaterial | undefined,
  proxy?: URL,
  timeoutMs = CONNECT_TIMEOUT_MS,
): Promise<Socket> {
  const host = server.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(server.port) || (material ? 443 : 80)
  const target = proxy && forwardsTo(server, proxy) ? undefined : { host, port }
  const opened: Socket[] = []
  let late = false
  const timer = setTimeout(() => {
    late = true
    for (const socket of opened) socket.destroy(timeout())
  }, timeoutMs)
  const open = (socket: Socket): void => {
    opened.push(socket)
    if (late) socket.destroy(timeout())
  }
  try {
    const tunnel = proxy ? await openProxy(proxy, target, () => proxyTrust(material), open) : undefined
    const socket = material
      ? connectTls({ ...(tunnel ? { socket: tunnel } : { host, port }), ...tlsOptions(host, material) })
      : (tunnel ?? connectTcp({ host, port }))
    open(socket)
    if (socket !== tunnel) await ready(socket, material ? 'secureConnect' : 'connect')
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setNoDelay(true)
    return socket
  } catch (error) {
    for (const socket of opened) socket.destroy()
    // Whatever failed by being ended was ended by the timer.
    throw late ? timeout() : error
  } finally {
    clearTimeout(timer)
  }
}

function timeout(): Error {
  return Object.assign(new Error('timed out while connecting'), { code: 'ETIMEDOUT' })
}

function ready(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off(event, done).off('error', settle).off('close', closed)
      if (error) reject(error)
      else resolve()
    }
    const done = (): void => settle()
    const closed = (): void => settle(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
    socket.once(event, done).once('error', settle).once('close', closed)
  })
}
