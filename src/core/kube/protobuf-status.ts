import type { KubeResponse } from './transport.ts'
import { readAll } from './transport.ts'
import { lengthDelimited, ProtobufReader, varint } from './protobuf.ts'
import { readListMetadata } from './protobuf-metadata.ts'

/** The media type of built-in types in protobuf; in an Accept header it comes before JSON. */
export const PROTOBUF_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf'

/** A metav1.Status as JSON has it; the API server says with one why a request or a watch failed. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  /** `continue` holds the token with which an expired list may go on (see `pagedList`). */
  readonly metadata?: { readonly continue?: string | undefined }
  readonly status: string
  readonly message?: string | undefined
  readonly reason?: string | undefined
  readonly code?: number | undefined
  readonly details?: StatusDetails | undefined
}

/** What a Status is about. */
export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly retryAfterSeconds?: number
  readonly causes?: readonly {
    readonly reason?: string
    readonly message?: string
    readonly field?: string
  }[]
}

// Field numbers: k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto; UNKNOWN_RAW: pkg/runtime/generated.proto.
const MAGIC = Buffer.from('k8s\0')
const UNKNOWN_RAW = lengthDelimited(2)
const METADATA = lengthDelimited(1)
const STATUS = lengthDelimited(2)
const MESSAGE = lengthDelimited(3)
const REASON = lengthDelimited(4)
const DETAILS = lengthDelimited(5)
const CODE = varint(6)
const DETAIL_NAME = lengthDelimited(1)
const DETAIL_GROUP = lengthDelimited(2)
const DETAIL_KIND = lengthDelimited(3)
const DETAIL_CAUSES = lengthDelimited(4)
const DETAIL_RETRY_AFTER = varint(5)
const DETAIL_UID = lengthDelimited(6)
const CAUSE_REASON = lengthDelimited(1)
const CAUSE_MESSAGE = lengthDelimited(2)
const CAUSE_FIELD = lengthDelimited(3)

/** Where the object lies inside its envelope: `k8s\0` and an Unknown with it as `raw`; undefined where there is no envelope. */
export function rawInside(
  bytes: Buffer,
  start: number,
  end: number,
): { start: number; end: number } | undefined {
  if (MAGIC.compare(bytes, start, Math.min(start + MAGIC.length, end)) !== 0) return undefined
  const reader = new ProtobufReader(bytes, start + MAGIC.length)
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === UNKNOWN_RAW) {
      const rawEnd = reader.contentEnd(end)
      return { start: reader.position, end: rawEnd }
    }
    reader.skip(tag, end)
  }
  // An object without any field has no bytes.
  return { start: end, end }
}

/** Reads a Status that ends at `end`. */
export function readStatus(reader: ProtobufReader, end: number): Status {
  const status: { -readonly [K in keyof Status]: Status[K] } = {
    kind: 'Status',
    apiVersion: 'v1',
    status: '',
  }
  while (reader.position < end) {
    const tag = reader.varint()
    switch (tag) {
      case METADATA:
        status.metadata = { continue: readListMetadata(reader, reader.contentEnd(end)).continue }
        break
      case STATUS:
        status.status = reader.text(end)
        break
      case MESSAGE:
        status.message = reader.text(end)
        break
      case REASON:
        status.reason = reader.text(end)
        break
      case DETAILS:
        status.details = readDetails(reader, reader.contentEnd(end))
        break
      case CODE:
        status.code = reader.varint()
        break
      default:
        reader.skip(tag, end)
    }
  }
  return status
}

/**
 * The same response with a JSON body where it is a Status in protobuf: a server that was asked for protobuf
 * answers its errors in protobuf too.
 */
export function withJsonStatus(response: KubeResponse): KubeResponse {
  if (!response.headers['content-type']?.startsWith(PROTOBUF_MEDIA_TYPE)) return response
  return {
    status: response.status,
    headers: { ...response.headers, 'content-type': 'application/json' },
    body: statusAsJson(response.body),
  }
}

async function* statusAsJson(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const read = await readAll(body)
  const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
  const raw = rawInside(bytes, 0, bytes.length)
  if (raw) yield Buffer.from(JSON.stringify(readStatus(new ProtobufReader(bytes, raw.start), raw.end)))
  else yield bytes
}

function readDetails(reader: ProtobufReader, end: number): StatusDetails {
  const details: { -readonly [K in keyof StatusDetails]: StatusDetails[K] } = {}
  const causes: NonNullable<StatusDetails['causes']>[number][] = []
  while (reader.position < end) {
    const tag = reader.varint()
    switch (tag) {
      case DETAIL_NAME:
        details.name = reader.text(end)
        break
      case DETAIL_GROUP:
        details.group = reader.text(end)
        break
      case DETAIL_KIND:
        details.kind = reader.text(end)
        break
      case DETAIL_UID:
        details.uid = reader.text(end)
        break
      case DETAIL_RETRY_AFTER:
        details.retryAfterSeconds = reader.varint()
        break
      case DETAIL_CAUSES:
        causes.push(readCause(reader, reader.contentEnd(end)))
        break
      default:
        reader.skip(tag, end)
    }
  }
  if (causes.length > 0) details.causes = causes
  return details
}

function readCause(
  reader: ProtobufReader,
  end: number,
): { reason?: string; message?: string; field?: string } {
  const cause: { reason?: string; message?: string; field?: string } = {}
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === CAUSE_REASON) cause.reason = reader.text(end)
    else if (tag === CAUSE_MESSAGE) cause.message = reader.text(end)
    else if (tag === CAUSE_FIELD) cause.field = reader.text(end)
    else reader.skip(tag, end)
  }
  return cause
}
