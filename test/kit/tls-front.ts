import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'

/** TLS before a plain server. */
export interface TlsFront {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string
  stop(): Promise<void>
}

/** Listens for TLS on a free port of 127.0.0.1 and passes the bytes on to the server at `target`. */
export async function startTlsFront(target: string, options: TlsOptions): Promise<TlsFront> {
  const sockets = new Set<Socket>()
  const server = createServer(options, (client) => {
    const plain = connect(Number(new URL(target).port), '127.0.0.1')
    for (const socket of [client, plain]) {
      sockets.add(socket)
      // Whichever side breaks off ends the other.
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket)
          client.destroy()
          plain.destroy()
        })
    }
    client.pipe(plain).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
