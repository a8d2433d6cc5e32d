import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the kernel's ephemeral range (32768) and the NodePorts (30000): while an API server is down between two
// starts, no outgoing connection may take its port.
const LOWEST = 20_000
const BEYOND = 30_000

/** That many different TCP ports of 127.0.0.1 on which nobody listens now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  for (let attempt = 0; ports.size < count && attempt < 100 * count; attempt++) {
    const port = randomInt(LOWEST, BEYOND)
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  if (ports.size < count)
    throw new Error(`no ${count} free ports between ${LOWEST} and ${BEYOND} on 127.0.0.1`)
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
