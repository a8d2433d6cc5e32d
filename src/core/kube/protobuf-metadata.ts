import type { PodOwner } from '../wire/pod.ts'
import type { ListMetadata } from './paged-list-parser.ts'
import { lengthDelimited, type ProtobufReader, varint } from './protobuf.ts'
import type { StringTable } from './protobuf-string-table.ts'

/** The part of an ObjectMeta that slices are made of. */
export interface Metadata {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
  readonly templateHash: string
  readonly owner: PodOwner | undefined
}

// Field numbers: k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto.
const NAME = lengthDelimited(1)
const NAMESPACE = lengthDelimited(3)
const UID = lengthDelimited(5)
const RESOURCE_VERSION = lengthDelimited(6)
const LABELS = lengthDelimited(11)
const OWNER_REFERENCES = lengthDelimited(13)

const MAP_KEY = lengthDelimited(1)
const MAP_VALUE = lengthDelimited(2)

const OWNER_KIND = lengthDelimited(1)
const OWNER_NAME = lengthDelimited(3)
const OWNER_UID = lengthDelimited(4)
const OWNER_API_VERSION = lengthDelimited(5)
const OWNER_CONTROLLER = varint(6)

const LIST_RESOURCE_VERSION = lengthDelimited(2)
const LIST_CONTINUE = lengthDelimited(3)

const TEMPLATE_HASH_LABEL = Buffer.from('pod-template-hash')

/** Reads an ObjectMeta that ends at `end`. */
export function readMetadata(reader: ProtobufReader, end: number, strings: StringTable): Metadata {
  let name = ''
  let namespace = ''
  let uid = ''
  let resourceVersion = ''
  let templateHash = ''
  let owner: PodOwner | undefined
  while (reader.position < end) {
    const tag = reader.varint()
    switch (tag) {
      case NAME:
        name = reader.text(end)
        break
      case NAMESPACE:
        namespace = readShared(reader, end, strings)
        break
      case UID:
        uid = reader.text(end)
        break
      case RESOURCE_VERSION:
        resourceVersion = reader.text(end)
        break
      case LABELS:
        templateHash = readTemplateHash(reader, reader.contentEnd(end), strings) ?? templateHash
        break
      case OWNER_REFERENCES:
        // The first controller, as in JSON; the API server admits one only.
        if (owner) reader.skip(tag, end)
        else owner = readController(reader, reader.contentEnd(end), strings)
        break
      default:
        reader.skip(tag, end)
    }
  }
  return { name, namespace, uid, resourceVersion, templateHash, owner }
}

/** Reads a ListMeta that ends at `end`. */
export function readListMetadata(reader: ProtobufReader, end: number): ListMetadata {
  let resourceVersion = ''
  let token = ''
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === LIST_RESOURCE_VERSION) resourceVersion = reader.text(end)
    else if (tag === LIST_CONTINUE) token = reader.text(end)
    else reader.skip(tag, end)
  }
  return { resourceVersion, continue: token }
}

/** A string field's content as the table's one copy of it. */
export function readShared(reader: ProtobufReader, limit: number, strings: StringTable): string {
  const end = reader.contentEnd(limit)
  const text = strings.fromBytes(reader.bytes, reader.position, end)
  reader.position = end
  return text
}

/** Reads one entry of the label map; undefined for every label but pod-template-hash. */
function readTemplateHash(reader: ProtobufReader, end: number, strings: StringTable): string | undefined {
  let matches = false
  let value: string | undefined
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === MAP_KEY) {
      const keyEnd = reader.contentEnd(end)
      matches =
        keyEnd - reader.position === TEMPLATE_HASH_LABEL.length &&
        TEMPLATE_HASH_LABEL.compare(reader.bytes, reader.position, keyEnd) === 0
      reader.position = keyEnd
    } else if (tag === MAP_VALUE && matches) value = readShared(reader, end, strings)
    else reader.skip(tag, end)
  }
  return matches ? value : undefined
}

/** Reads one owner reference; undefined unless it is the controller. */
function readController(reader: ProtobufReader, end: number, strings: StringTable): PodOwner | undefined {
  let apiVersion = ''
  let kind = ''
  let name = ''
  let uid = ''
  let controller = false
  while (reader.position < end) {
    const tag = reader.varint()
    switch (tag) {
      case OWNER_KIND:
        kind = readShared(reader, end, strings)
        break
      case OWNER_NAME:
        name = readShared(reader, end, strings)
        break
      case OWNER_UID:
        uid = readShared(reader, end, strings)
        break
      case OWNER_API_VERSION:
        apiVersion = readShared(reader, end, strings)
        break
      case OWNER_CONTROLLER:
        controller = reader.varint() === 1
        break
      default:
        reader.skip(tag, end)
    }
  }
  return controller ? { apiVersion, kind, name, uid } : undefined
}
