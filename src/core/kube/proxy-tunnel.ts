import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { DeckError } from '../lib/errors.ts'
import { proxyAuthorization, proxyLogin, proxyName, proxyRefused, proxyWantsLogin } from './proxy.ts'

/** How an https proxy itself is known for the right one. */
export interface TunnelTrust {
  readonly ca: string[] | undefined
  readonly rejectUnauthorized: boolean
}

const HEAD_LIMIT = 16 * 1024

/** Reads from a socket exactly what was asked for; what came beyond it stays for whoever reads next. */
function reader(socket: Socket): (enough: (bytes: Buffer) => number) => Promise<Buffer> {
  let buffer: Buffer = Buffer.alloc(0)
  return async (enough) => {
    while (true) {
      const size = enough(buffer)
      if (size > 0) {
        const answer = buffer.subarray(0, size)
        buffer = buffer.subarray(size)
        if (buffer.length > 0) socket.unshift(buffer)
        buffer = Buffer.alloc(0)
        return answer
      }
      const chunk = await nextChunk(socket)
      buffer = Buffer.concat([buffer, chunk])
    }
  }
}

function nextChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      socket.off('readable', onReadable).off('error', onError).off('close', onClose).off('end', onClose)
    }
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      done()
      resolve(chunk)
    }
    const onError = (error: Error): void => {
      done()
      reject(error)
    }
    const onClose = (): void => onError(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
    socket.on('readable', onReadable).on('error', onError).on('close', onClose).on('end', onClose)
    onReadable()
  })
}

async function httpConnect(socket: Socket, proxy: URL, host: string, port: number): Promise<void> {
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const login = proxyAuthorization(proxy)
  const authorization = login ? `Proxy-Authorization: ${login}\r\n` : ''
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${authorization}\r\n`)
  const head = await reader(socket)((bytes) => {
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0 && bytes.length > HEAD_LIMIT) {
      throw proxyRefused(proxy, 'does not answer as an HTTP proxy', 'Is it a proxy, and of this kind?')
    }
    return end < 0 ? 0 : end + 4
  })
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1'))?.[1]
  if (status === undefined) {
    throw proxyRefused(proxy, 'does not answer as an HTTP proxy', 'Is it a proxy, and of this kind?')
  }
  if (status === '407') throw proxyWantsLogin(proxy)
  if (!status.startsWith('2')) {
    throw proxyRefused(
      proxy,
      `refused to connect to ${target} (${status})`,
      'May the proxy connect there? NO_PROXY names hosts to reach without it.',
    )
  }
}

// RFC 1928, with the login of RFC 1929; the proxy resolves the name.
async function socksConnect(socket: Socket, proxy: URL, host: string, port: number): Promise<void> {
  const read = reader(socket)
  const exactly = (size: number): Promise<Buffer> => read((bytes) => (bytes.length >= size ? size : 0))
  const who = proxyLogin(proxy)
  socket.write(who ? Buffer.from([5, 2, 0, 2]) : Buffer.from([5, 1, 0]))
  const [version, method] = await exactly(2)
  if (version !== 5)
    throw proxyRefused(proxy, 'does not answer as a SOCKS5 proxy', 'Is it a proxy, and of this kind?')
  if (method === 2 && who) {
    const user = Buffer.from(who.user)
    const password = Buffer.from(who.password)
    socket.write(
      Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]),
    )
    const [, ok] = await exactly(2)
    if (ok !== 0)
      throw proxyRefused(
        proxy,
        'did not accept the login',
        'Correct USER:PASSWORD in proxy-url or HTTPS_PROXY.',
      )
  } else if (method !== 0) {
    throw proxyRefused(
      proxy,
      'wants a login',
      'Put USER:PASSWORD@ before its host in proxy-url or HTTPS_PROXY.',
    )
  }
  const name = Buffer.from(host)
  const address =
    isIP(host) === 4
      ? Buffer.from([1, ...host.split('.').map(Number)])
      : Buffer.concat([Buffer.from([3, name.length]), name])
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), address, Buffer.from([port >> 8, port & 255])]))
  const [, reply, , type, first = 0] = await read((bytes) => (bytes.length >= 5 ? 5 : 0))
  if (reply !== 0) {
    throw proxyRefused(
      proxy,
      `could not connect to ${host}:${port} (SOCKS reply ${reply})`,
      'Is the server up, and may the proxy connect there?',
    )
  }
  // The bound address, of which one byte has come already, and its port.
  await exactly((type === 1 ? 3 : type === 4 ? 15 : first) + 2)
}

/**
 * A connection through an http, https, socks5 or socks5h proxy to the target, nothing of it read yet, or to the proxy
 * itself where there is no target. The caller bounds the time by destroying what `opened` hands over as soon as it
 * exists.
 */
export async function openProxy(
  proxy: URL,
  target: { readonly host: string; readonly port: number } | undefined,
  trust: () => TunnelTrust,
  opened: (socket: Socket) => void,
): Promise<Socket> {
  const proxyHost = proxy.hostname.replace(/^\[(.*)\]$/, '$1')
  const { protocol } = proxy
  const secure = protocol === 'https:'
  const socks = protocol === 'socks5:' || protocol === 'socks5h:'
  if (!secure && !socks && protocol !== 'http:') {
    throw proxyRefused(proxy, 'is of a kind that is not known', 'Use http://, https:// or socks5://.')
  }
  const proxyPort = Number(proxy.port) || (socks ? 1080 : secure ? 443 : 80)
  const socket = secure
    ? connectTls({
        host: proxyHost,
        port: proxyPort,
        ...(isIP(proxyHost) ? {} : { servername: proxyHost }),
        ...trust(),
      })
    : connectTcp({ host: proxyHost, port: proxyPort })
  opened(socket)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve).once('error', reject)
    })
    if (target) await (socks ? socksConnect : httpConnect)(socket, proxy, target.host, target.port)
    return socket
  } catch (error) {
    socket.destroy()
    if (error instanceof DeckError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw new DeckError(
      'KUBE_UNREACHABLE',
      `cannot reach the proxy ${proxyName(proxy)}: ${code ?? message}`,
      {
        hint: 'Correct proxy-url in the kubeconfig or HTTPS_PROXY; NO_PROXY names hosts to reach without it.',
        cause: error,
      },
    )
  }
}
