import type { BodyWriter, Fault } from './fake-fault.ts'
import { fakeStatus } from './fake-status.ts'
import { encodeObject, hasProtobuf, type Kinded } from './protobuf-encode.ts'

/** One answer in the encoding that was agreed on. */
export class FakeAnswer {
  readonly writer: BodyWriter
  readonly protobuf: boolean

  constructor(writer: BodyWriter, protobuf: boolean) {
    this.writer = writer
    this.protobuf = protobuf
  }

  object(status: number, object: Kinded): void {
    if (this.protobuf && hasProtobuf(object.kind)) {
      this.send(status, 'application/vnd.kubernetes.protobuf', encodeObject(object))
    } else this.json(status, object)
  }

  json(status: number, value: unknown): void {
    this.send(status, 'application/json', Buffer.from(JSON.stringify(value)))
  }

  failure(
    status: number,
    reason: string,
    message: string,
    more: Parameters<typeof fakeStatus>[3] = {},
  ): void {
    this.object(status, fakeStatus(status, reason, message, more))
  }

  fault(fault: Extract<Fault, { kind: 'status' }>): void {
    const seconds = fault.retryAfterSeconds
    const message = fault.message ?? `told by a fault: ${fault.status}`
    const body = fakeStatus(fault.status, fault.reason ?? '', message, { details: fault.details })
    const protobuf = this.protobuf
    this.send(
      fault.status,
      protobuf ? 'application/vnd.kubernetes.protobuf' : 'application/json',
      protobuf ? encodeObject(body) : Buffer.from(JSON.stringify(body)),
      seconds === undefined ? {} : { 'retry-after': String(seconds) },
    )
  }

  send(
    status: number,
    contentType: string,
    body: Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    this.writer.head(status, {
      'content-type': contentType,
      'content-length': String(body.length),
      ...headers,
    })
    this.writer.end(body)
  }
}
