import type { NodeImage, NodeSlice } from '../wire/node.ts'
import { type ObjectDecoder, pagedList, type PagedListOptions, type ResourceSource } from './paged-list.ts'
import { lengthDelimited, type ProtobufReader, varint } from './protobuf.ts'
import { readMetadata, readShared } from './protobuf-metadata.ts'
import { StringTable } from './protobuf-string-table.ts'
import type { RequestPurpose } from './status-error.ts'
import type { KubeTransport } from './transport.ts'
import type { Watched } from './watch-frame.ts'

/** A node's slice with what a watch follows it by. */
export interface WatchedNode extends NodeSlice, Watched {}

/** How nodes are read. */
export interface NodeScope {
  /** False reads JSON where the server could send protobuf. */
  readonly protobuf?: boolean | undefined
  /** Who asks, for error messages. */
  readonly identity?: RequestPurpose['identity']
}

// Field numbers: k8s.io/api/core/v1/generated.proto.
const NODE_METADATA = lengthDelimited(1)
const NODE_STATUS = lengthDelimited(3)
const STATUS_IMAGES = lengthDelimited(8)
const IMAGE_NAMES = lengthDelimited(1)
const IMAGE_SIZE_BYTES = varint(2)

/** Nodes as `pagedList` and `listWatch` read them. */
export function nodeSource({ protobuf, identity }: NodeScope = {}): ResourceSource<WatchedNode> {
  return {
    path: '/api/v1/nodes',
    purpose: { resource: 'nodes', namespaced: false, ...(identity ? { identity } : {}) },
    protobuf,
    decoder: nodeDecoder(),
  }
}

/** Lists all nodes with the images that each reports. */
export async function listNodes(
  transport: KubeTransport,
  options: NodeScope & PagedListOptions = {},
): Promise<readonly NodeSlice[]> {
  const nodes: NodeSlice[] = []
  for await (const batch of pagedList(transport, nodeSource(options), options)) {
    for (const { name, images } of batch) nodes.push({ name, images })
  }
  return nodes
}

/** Reads nodes from either encoding into equal slices; names of images are shared between nodes. */
function nodeDecoder(): ObjectDecoder<WatchedNode> {
  const strings = new StringTable()
  return {
    fromJson: (value) => nodeFromJson(value as NodeJson | null, strings),
    fromProtobuf: (reader, end) => readNode(reader, end, strings),
    keyOf: (node) => node.name,
  }
}

function readNode(reader: ProtobufReader, end: number, strings: StringTable): WatchedNode {
  let metadata = { uid: '', name: '', resourceVersion: '' }
  const images: NodeImage[] = []
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === NODE_METADATA) metadata = readMetadata(reader, reader.contentEnd(end), strings)
    else if (tag === NODE_STATUS) {
      const statusEnd = reader.contentEnd(end)
      while (reader.position < statusEnd) {
        const statusTag = reader.varint()
        if (statusTag === STATUS_IMAGES) images.push(readImage(reader, reader.contentEnd(statusEnd), strings))
        else reader.skip(statusTag, statusEnd)
      }
    } else reader.skip(tag, end)
  }
  const { uid, name, resourceVersion } = metadata
  return { uid, name, resourceVersion, images }
}

function readImage(reader: ProtobufReader, end: number, strings: StringTable): NodeImage {
  const names: string[] = []
  let sizeBytes = 0
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === IMAGE_NAMES) names.push(readShared(reader, end, strings))
    else if (tag === IMAGE_SIZE_BYTES) sizeBytes = reader.varint()
    else reader.skip(tag, end)
  }
  return { names, sizeBytes }
}

interface NodeJson {
  readonly metadata?: { readonly name?: string; readonly uid?: string; readonly resourceVersion?: string }
  readonly status?: {
    readonly images?: readonly { readonly names?: readonly string[]; readonly sizeBytes?: number }[] | null
  }
}

function nodeFromJson(node: NodeJson | null, strings: StringTable): WatchedNode {
  return {
    uid: node?.metadata?.uid ?? '',
    name: node?.metadata?.name ?? '',
    resourceVersion: node?.metadata?.resourceVersion ?? '',
    images: (node?.status?.images ?? []).map((image) => ({
      names: (image.names ?? []).map((name) => strings.fromText(name)),
      sizeBytes: image.sizeBytes ?? 0,
    })),
  }
}
