import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

// Below the kernel's ephemeral range (32768) and the NodePorts (30000): while an API server is down between two
// starts, no outgoing connection may take its port.
const LOWEST = 20_000
const BEYOND = 30_000
const BLOCK = 500

let own: Promise<Block> | undefined

/** That many different TCP ports of 127.0.0.1 on which nobody listens now, and which no other run is given either. */
export async function freePorts(count: number): Promise<readonly number[]> {
  own ??= takeBlock()
  const block = await own
  const ports: number[] = []
  for (let attempt = 0; ports.length < count && attempt < BLOCK; attempt++) {
    const port = block.next()
    if (await isFree(port)) ports.push(port)
  }
  if (ports.length < count) {
    throw new Error(`no ${count} free ports from ${block.first} to ${block.first + BLOCK - 1} on 127.0.0.1`)
  }
  return ports
}

/** The ports of one process, each given again only after all the others: whose server is down keeps its port. */
class Block {
  readonly first: number
  // Listening on the first port says that the block is taken, and ends with the process however that ends.
  readonly sign: Server
  #given = 0

  constructor(first: number, sign: Server) {
    this.first = first
    this.sign = sign
  }

  next(): number {
    return this.first + 1 + (this.#given++ % (BLOCK - 1))
  }
}

async function takeBlock(): Promise<Block> {
  const blocks = (BEYOND - LOWEST) / BLOCK
  const start = randomInt(blocks)
  for (let tries = 0; tries < blocks; tries++) {
    const first = LOWEST + ((start + tries) % blocks) * BLOCK
    const sign = await listening(first)
    if (sign !== undefined) return new Block(first, sign.unref())
  }
  throw new Error(`no free block of ports between ${LOWEST} and ${BEYOND} on 127.0.0.1`)
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port)
  if (server === undefined) return false
  server.close()
  await once(server, 'close')
  return true
}

async function listening(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return server
  } catch {
    return undefined
  }
}
