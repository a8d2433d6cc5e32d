import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server of this host that counts what comes back on it, and on which packets can be lost. */
export interface ValveRelay {
  readonly port: number
  /** Bytes that have come from the server, over all connections. */
  readonly received: number
  /** Resolves once so many more bytes have come. */
  after(bytes: number): Promise<void>
  /** From now on nothing gets through, and nobody is told: connections are taken, and stay silent. */
  hold(): void
  /** What was held gets through. */
  release(): void
  stop(): void
}

/** Listens on a free port, and passes all connections on to another of this host. */
export async function startValveRelay(port: number): Promise<ValveRelay> {
  const sockets = new Set<Socket>()
  const pipes = new Map<Socket, Socket>()
  const waiting = new Set<{ readonly until: number; readonly resolve: () => void }>()
  let received = 0
  let held = false
  const server = createServer((inbound) => {
    const outbound = connect(port, '127.0.0.1')
    outbound.on('data', ({ length }: Buffer) => {
      received += length
      for (const each of waiting) {
        if (received < each.until) continue
        waiting.delete(each)
        each.resolve()
      }
    })
    for (const [socket, other] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      sockets.add(socket)
      if (!held) socket.pipe(other)
      pipes.set(socket, other)
      // What breaks on one side breaks on the other.
      socket.once('error', () => other.destroy())
      socket.once('close', () => {
        sockets.delete(socket)
        pipes.delete(socket)
        other.destroy()
      })
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get received() {
      return received
    },
    after: (bytes) =>
      new Promise((resolve) => {
        waiting.add({ until: received + bytes, resolve })
      }),
    hold() {
      held = true
      for (const [socket, other] of pipes) socket.unpipe(other)
      for (const socket of sockets) socket.pause()
    },
    release() {
      held = false
      for (const [socket, other] of pipes) socket.pipe(other)
    },
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
