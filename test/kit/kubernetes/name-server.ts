import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import type { V1Service } from '@kubernetes/client-node'
import { ApiClient, ApiStatusError } from './api-client.ts'

// `node name-server.ts ADDRESS URL CA CERTIFICATE KEY` answers pods' questions for Services (RFC 1035 over UDP): enough
// of what CoreDNS does for clients that look up `NAME.NAMESPACE.svc`. A process of its own, as relay.ts and for its reason.
const [listenAddress = '', url = '', ca = '', certificate = '', key = ''] = process.argv.slice(2)
const read = (file: string): string => readFileSync(file, 'utf8')
const admin = new ApiClient({
  url,
  ca: read(ca),
  credential: { certificate: read(certificate), key: read(key) },
})

const HEADER_BYTES = 12
const TYPE_A = 1
const TTL_SECONDS = 5
const FAILED = 2
const UNKNOWN_NAME = 3

interface Question {
  readonly name: string
  readonly type: number
  /** Where the question ends in the packet. */
  readonly end: number
}

interface Found {
  readonly code: number
  readonly address?: string
}

const socket = createSocket('udp4')
socket.on('message', (packet, { address: host, port }) => {
  const question = questionIn(packet)
  if (!question) return
  void lookUp(question.name).then((found) => socket.send(answer(packet, question, found), port, host))
})
socket.bind(53, listenAddress)

function questionIn(packet: Buffer): Question | undefined {
  if (packet.length < HEADER_BYTES || packet.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = packet[at]; length; length = packet[at]) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  if (packet.length < at + 5) return undefined
  return { name: labels.join('.').toLowerCase(), type: packet.readUInt16BE(at + 1), end: at + 5 }
}

/** The response code, and the address of a Service where it has one. */
async function lookUp(name: string): Promise<Found> {
  const [, service, namespace] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(name) ?? []
  if (service === undefined) return { code: UNKNOWN_NAME }
  try {
    const path = `/api/v1/namespaces/${namespace}/services/${service}`
    const { spec } = await admin.send<V1Service>('GET', path)
    return { code: 0, ...(spec?.clusterIP === undefined ? {} : { address: spec.clusterIP }) }
  } catch (error) {
    return { code: error instanceof ApiStatusError && error.status === 404 ? UNKNOWN_NAME : FAILED }
  }
}

function answer(packet: Buffer, { type, end }: Question, found: Found): Buffer {
  // Who asks for another type, as AAAA, learns that the name is there and has none.
  const address = type === TYPE_A ? found.address : undefined
  const header = Buffer.alloc(HEADER_BYTES)
  packet.copy(header, 0, 0, 2)
  // QR, AA and RA, with the client's RD, and the response code.
  header.writeUInt16BE(0x8480 | (packet.readUInt16BE(2) & 0x0100) | found.code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(address === undefined ? 0 : 1, 6)
  const parts = [header, packet.subarray(HEADER_BYTES, end)]
  if (address !== undefined) {
    const record = Buffer.alloc(16)
    // A pointer to the question's name, type A, class IN.
    record.writeUInt16BE(0xc000 | HEADER_BYTES, 0)
    record.writeUInt16BE(TYPE_A, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(TTL_SECONDS, 6)
    record.writeUInt16BE(4, 10)
    record.set(address.split('.').map(Number), 12)
    parts.push(record)
  }
  return Buffer.concat(parts)
}
