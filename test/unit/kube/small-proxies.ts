import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Certificates } from './openssl-certificates.ts'

/** A proxy on loopback that takes every name to 127.0.0.1 and notes what it was asked for. */
export interface SmallProxy {
  /** `http://127.0.0.1:PORT`, `https://…` or `socks5://…`. */
  readonly url: string
  /** `HOST:PORT`, with `USER:PASSWORD@` before it where a login came. */
  readonly asked: readonly string[]
  stop(): Promise<void>
}

/** How a proxy behaves. */
export interface ProxyManners {
  /** `USER:PASSWORD` without which it refuses. */
  readonly login?: string
  /** Answers each CONNECT with this status. */
  readonly refuses?: number
}

async function listen(server: Server, scheme: string, asked: string[]): Promise<SmallProxy> {
  const open = new Set<Duplex>()
  const keep = (socket: Duplex): void => {
    open.add(socket)
    socket.on('error', () => undefined).once('close', () => open.delete(socket))
  }
  server.on('connection', keep).on('secureConnection', keep)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async stop() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function join(client: Duplex, port: number, greeting: string | Buffer): void {
  const upstream = connect(port, '127.0.0.1', () => {
    client.write(greeting)
    client.pipe(upstream).pipe(client)
  })
  upstream.on('error', () => client.destroy())
  client.on('error', () => upstream.destroy())
}

function loginOf(request: IncomingMessage): string {
  const header = request.headers['proxy-authorization']?.replace(/^Basic /, '')
  return header === undefined ? '' : Buffer.from(header, 'base64').toString('utf8')
}

function onConnect(asked: string[], manners: ProxyManners) {
  return (request: IncomingMessage, socket: Duplex): void => {
    const login = loginOf(request)
    asked.push(`${login ? `${login}@` : ''}${request.url ?? ''}`)
    if (manners.refuses !== undefined) return void socket.end(`HTTP/1.1 ${manners.refuses} No\r\n\r\n`)
    if (manners.login !== undefined && manners.login !== login) {
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    }
    join(socket, Number(request.url?.split(':').at(-1)), 'HTTP/1.1 200 Connection established\r\n\r\n')
  }
}

/** Passes on what names a whole URL, less what is only for the proxy. */
function onRequest(asked: string[], manners: ProxyManners) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const login = loginOf(request)
    asked.push(`${login ? `${login}@` : ''}${request.method} ${request.url ?? ''}`)
    const url = URL.parse(request.url ?? '')
    if (!url) return void response.writeHead(400).end()
    if (manners.login !== undefined && manners.login !== login) return void response.writeHead(407).end()
    const { 'proxy-authorization': _, ...headers } = request.headers
    const { port, pathname, search } = url
    httpRequest({ host: '127.0.0.1', port, path: pathname + search, method: request.method, headers })
      .on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      .on('error', () => response.destroy())
      .end()
  }
}

/** A proxy that is spoken to in plain HTTP. */
export function startHttpProxy(manners: ProxyManners = {}): Promise<SmallProxy> {
  const asked: string[] = []
  const server = createHttpServer(onRequest(asked, manners)).on('connect', onConnect(asked, manners))
  return listen(server, 'http', asked)
}

/** A proxy that is spoken to over TLS, with the certificate `server`. */
export async function startHttpsProxy(certificates: Certificates): Promise<SmallProxy> {
  const asked: string[] = []
  const server = createHttpsServer({
    cert: await certificates.text('server.crt'),
    key: await certificates.text('server.key'),
  })
  return listen(server.on('connect', onConnect(asked, {})), 'https', asked)
}

/** Waits for so many bytes; `socket` must not flow. */
async function take(socket: Socket, size: number): Promise<Buffer> {
  while (true) {
    const bytes = socket.read(size) as Buffer | null
    if (bytes) return bytes
    await new Promise((resolve) => socket.once('readable', resolve))
  }
}

async function serveSocks(socket: Socket, asked: string[], { login, refuses }: ProxyManners): Promise<void> {
  const [, count = 0] = await take(socket, 2)
  const methods = await take(socket, count)
  if (login !== undefined && !methods.includes(2)) return void socket.end(Buffer.from([5, 255]))
  socket.write(Buffer.from([5, login === undefined ? 0 : 2]))
  let sent = ''
  if (login !== undefined) {
    const [, userSize = 0] = await take(socket, 2)
    const user = await take(socket, userSize)
    const [passwordSize = 0] = await take(socket, 1)
    sent = `${user.toString()}:${(await take(socket, passwordSize)).toString()}`
    socket.write(Buffer.from([1, sent === login ? 0 : 1]))
    if (sent !== login) return void socket.end()
  }
  const [, , , type] = await take(socket, 4)
  const host =
    type === 1
      ? (await take(socket, 4)).join('.')
      : (await take(socket, (await take(socket, 1))[0] ?? 0)).toString()
  const port = (await take(socket, 2)).readUInt16BE()
  asked.push(`${sent ? `${sent}@` : ''}${host}:${port}`)
  const reply = Buffer.from([5, refuses ?? 0, 0, 1, 0, 0, 0, 0, 0, 0])
  if (refuses !== undefined) return void socket.end(reply)
  join(socket, port, reply)
}

/** A SOCKS5 proxy; `refuses` is its reply code. */
export function startSocksProxy(manners: ProxyManners = {}): Promise<SmallProxy> {
  const asked: string[] = []
  const server = createTcpServer((socket) => {
    serveSocks(socket, asked, manners).catch(() => socket.destroy())
  })
  return listen(server, 'socks5', asked)
}
