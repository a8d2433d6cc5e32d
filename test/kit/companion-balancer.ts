import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What a Service is to two pods: each connection goes to the next port of 127.0.0.1 on which somebody listens. */
export class CompanionBalancer {
  readonly #ports: readonly number[]
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** How many connections each port has had. */
  readonly taken = new Map<number, number>()
  #next = 0
  #preferred: number | undefined

  private constructor(ports: readonly number[]) {
    this.#ports = ports
    this.#server = createServer((client) => {
      client.on('error', () => undefined)
      this.#forward(client, ports.length)
    })
  }

  static async start(ports: readonly number[]): Promise<CompanionBalancer> {
    const balancer = new CompanionBalancer(ports)
    balancer.#server.listen(0, '127.0.0.1')
    await once(balancer.#server, 'listening')
    return balancer
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends all connections; new ones go to this port first, or, where left out, to each in its turn. */
  prefer(port?: number): void {
    this.#preferred = port
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #forward(client: Socket, attempts: number): void {
    const isFirst = attempts === this.#ports.length
    const preferred = isFirst ? this.#preferred : undefined
    const port = preferred ?? this.#ports[this.#next++ % this.#ports.length] ?? 0
    const target = connect(port, '127.0.0.1')
    const refused = (): void => {
      if (attempts > 1) this.#forward(client, attempts - 1)
      else client.destroy()
    }
    target.once('error', refused).once('connect', () => {
      target.off('error', refused)
      this.taken.set(port, (this.taken.get(port) ?? 0) + 1)
      for (const [socket, other] of [
        [client, target],
        [target, client],
      ] as const) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.once('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
        socket.pipe(other)
      }
    })
  }
}
