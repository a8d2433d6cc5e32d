import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import type { Certificates } from './openssl-certificates.ts'

/** Addresses of the loopback servers that the transport contract is run against. */
export interface ContractServers {
  /** TLS; asks for a client certificate and takes any of `ca`. */
  readonly tls: string
  /** TLS; refuses whoever has no certificate of `ca`. */
  readonly mutual: string
  /** TLS; says by a TLS alert that it does not know the authority of a client certificate, as servers in Go do. */
  readonly strict: string
  /** TLS with a certificate whose time is over. */
  readonly ended: string
  readonly plain: string
  /** Takes connections and never says a word. */
  readonly silent: string
  /** Nothing listens there. */
  readonly closed: string
  stop(): Promise<void>
}

/** What `/echo` and every path without a meaning answer. */
export interface Echo {
  readonly method: string
  readonly url: string
  /** Name, value, name, value … as they came. */
  readonly headers: readonly string[]
  readonly body: string
  readonly client: string | undefined
  /** A number of its own for each connection. */
  readonly connection: number
}

const NOISE = gzipSync(Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * 7919 * at) % 251)))

function cut(request: IncomingMessage): void {
  setTimeout(() => request.socket.destroy(), 20)
}

function listener(): RequestListener {
  const connections = new Map<Socket, number>()
  const tokens = new Map<string, number>()
  const waiting = new Map<string, ServerResponse>()
  let count = 0

  return (request, response) => {
    const { socket } = request
    if (!connections.has(socket)) connections.set(socket, (count += 1))
    const [path = '', query = ''] = (request.url ?? '').split('?')
    switch (path) {
      case '/short':
        response.writeHead(200, { 'content-length': '1000' }).write('only this')
        return cut(request)
      case '/cut-chunked':
        response.write('only this')
        return cut(request)
      case '/gzip':
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('pod '.repeat(5000)))
        return
      case '/cut-gzip':
        response.writeHead(200, { 'content-encoding': 'gzip' }).write(NOISE.subarray(0, NOISE.length >> 1))
        return cut(request)
      case '/half-gzip':
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(NOISE.subarray(0, NOISE.length >> 1))
        return
      case '/redirect':
        response.writeHead(302, { location: '/echo' }).end()
        return
      case '/never':
        return
      case '/stall':
        response.write('first')
        return
      case '/stream':
        response.write('{"type":"ADDED"}\n')
        waiting.set(query, response)
        return
      case '/stream-on':
        waiting.get(query)?.end('{"type":"DELETED"}\n')
        response.end()
        return
      case '/once':
        response.setHeader('connection', 'keep-alive')
        response.end('once')
        // The client learns of it only when it sends again.
        response.once('finish', () => setTimeout(() => socket.destroy(), 5))
        return
      case '/login': {
        // The token named in the query is the right one; `calls` counts what each run of the test sent.
        const sent = request.headers.authorization ?? ''
        tokens.set(query, (tokens.get(query) ?? 0) + 1)
        response.writeHead(sent === `Bearer ${query}` ? 200 : 401, { 'x-calls': String(tokens.get(query)) })
        response.end(sent === `Bearer ${query}` ? 'welcome' : 'no')
        return
      }
      default:
        return echo(request, response, connections.get(socket) ?? 0)
    }
  }
}

function echo(request: IncomingMessage, response: ServerResponse, connection: number): void {
  const body: Buffer[] = []
  request.on('data', (chunk: Buffer) => body.push(chunk))
  request.on('end', () => {
    const certificate = (request.socket as TLSSocket).getPeerCertificate?.()
    const answer: Echo = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.rawHeaders,
      body: Buffer.concat(body).toString('utf8'),
      client: certificate?.subject?.CN?.toString(),
      connection,
    }
    response.setHeader('X-Mixed-Case', 'Yes').end(JSON.stringify(answer))
  })
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function startStrictServer(
  certificates: Certificates,
): Promise<{ port: number; stop(): Promise<void> }> {
  const reserved = createTcpServer()
  const port = await listen(reserved)
  await new Promise((resolve) => reserved.close(resolve))
  const trust = '-CAfile ca.crt -Verify 1 -verify_return_error'
  const words = `s_server -accept 127.0.0.1:${port} -www -cert server.crt -key server.key ${trust}`
  const child = spawn('openssl', words.split(' '), {
    cwd: certificates.folder,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  for await (const chunk of child.stdout) if (String(chunk).includes('ACCEPT')) break
  return {
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}

/** Starts them all on 127.0.0.1. */
export async function startContractServers(certificates: Certificates): Promise<ContractServers> {
  const ca = await certificates.text('ca.crt')
  const pair = async (name: string): Promise<{ cert: string; key: string }> => ({
    cert: await certificates.text(`${name}.crt`),
    key: await certificates.text(`${name}.key`),
  })
  const servers: Server[] = [
    createHttpsServer(
      { ...(await pair('server')), ca, requestCert: true, rejectUnauthorized: false },
      listener(),
    ),
    createHttpsServer(
      { ...(await pair('server')), ca, requestCert: true, rejectUnauthorized: true },
      listener(),
    ),
    createHttpsServer(await pair('server-ended'), listener()),
    createHttpServer(listener()),
    createTcpServer(() => undefined),
    createTcpServer(),
  ]
  const open = new Set<Socket>()
  for (const server of servers) {
    server.on('connection', (socket: Socket) => {
      open.add(socket)
      socket.on('error', () => undefined).once('close', () => open.delete(socket))
    })
  }
  const [tls, mutual, ended, plain, silent, closed] = await Promise.all(servers.map(listen))
  await new Promise((resolve) => servers.at(-1)?.close(resolve))
  const strict = await startStrictServer(certificates)
  return {
    tls: `https://127.0.0.1:${tls}`,
    mutual: `https://127.0.0.1:${mutual}`,
    ended: `https://127.0.0.1:${ended}`,
    plain: `http://127.0.0.1:${plain}`,
    strict: `https://127.0.0.1:${strict.port}`,
    silent: `https://127.0.0.1:${silent}`,
    closed: `https://127.0.0.1:${closed}`,
    async stop() {
      await strict.stop()
      for (const socket of open) socket.destroy()
      await Promise.all(servers.slice(0, -1).map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}
