import type { ContainerType, PodImage, PodSlice } from '../wire/pod.ts'
import { lengthDelimited, malformedProtobuf, type ProtobufReader } from './protobuf.ts'
import { readMetadata, readShared } from './protobuf-metadata.ts'
import type { StringTable } from './protobuf-string-table.ts'

// Field numbers: k8s.io/api/core/v1/generated.proto.
const POD_METADATA = lengthDelimited(1)
const POD_SPEC = lengthDelimited(2)
const POD_STATUS = lengthDelimited(3)

const SPEC_VOLUMES = lengthDelimited(1)
const SPEC_CONTAINERS = lengthDelimited(2)
const SPEC_NODE_NAME = lengthDelimited(10)
const SPEC_INIT_CONTAINERS = lengthDelimited(20)
const SPEC_EPHEMERAL_CONTAINERS = lengthDelimited(34)

const CONTAINER_NAME = lengthDelimited(1)
const CONTAINER_IMAGE = lengthDelimited(2)
const CONTAINER_PULL_POLICY = lengthDelimited(14)
const CONTAINER_RESTART_POLICY = lengthDelimited(24)
const EPHEMERAL_COMMON = lengthDelimited(1)

const VOLUME_NAME = lengthDelimited(1)
const VOLUME_SOURCE = lengthDelimited(2)
const VOLUME_SOURCE_IMAGE = lengthDelimited(30)
const IMAGE_REFERENCE = lengthDelimited(1)
const IMAGE_PULL_POLICY = lengthDelimited(2)

const STATUS_PHASE = lengthDelimited(1)
const STATUS_CONTAINERS = lengthDelimited(8)
const STATUS_INIT_CONTAINERS = lengthDelimited(10)
const STATUS_EPHEMERAL_CONTAINERS = lengthDelimited(13)
const CONTAINER_STATUS_NAME = lengthDelimited(1)
const CONTAINER_STATUS_IMAGE_ID = lengthDelimited(7)

interface RunningImage {
  readonly name: string
  readonly imageID: string
}

interface Status {
  phase: string
  readonly containers: RunningImage[]
  readonly init: RunningImage[]
  readonly ephemeral: RunningImage[]
}

/** Reads a core/v1 Pod that ends at `end`, stepping over all that a slice has no place for. */
export function readPod(reader: ProtobufReader, end: number, strings: StringTable): PodSlice {
  let metadataAt = 0
  let metadataEnd = 0
  let specAt = 0
  let specEnd = 0
  let statusAt = 0
  let statusEnd = 0
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag !== POD_METADATA && tag !== POD_SPEC && tag !== POD_STATUS) {
      reader.skip(tag, end)
      continue
    }
    const fieldEnd = reader.contentEnd(end)
    if (tag === POD_METADATA) {
      metadataAt = reader.position
      metadataEnd = fieldEnd
    } else if (tag === POD_SPEC) {
      specAt = reader.position
      specEnd = fieldEnd
    } else {
      statusAt = reader.position
      statusEnd = fieldEnd
    }
    reader.position = fieldEnd
  }
  if (reader.position !== end) throw malformedProtobuf('a pod does not end where it says')

  reader.position = metadataAt
  const metadata = readMetadata(reader, metadataEnd, strings)
  // The status comes last on the wire, but the images of the spec need its image IDs.
  reader.position = statusAt
  const status = readStatus(reader, statusEnd, strings)
  reader.position = specAt
  const spec = readSpec(reader, specEnd, status, strings)
  reader.position = end
  return {
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    nodeName: spec.nodeName,
    phase: status.phase,
    templateHash: metadata.templateHash,
    owner: metadata.owner,
    images: spec.images,
  }
}

function readStatus(reader: ProtobufReader, end: number, strings: StringTable): Status {
  const status: Status = { phase: '', containers: [], init: [], ephemeral: [] }
  while (reader.position < end) {
    const tag = reader.varint()
    switch (tag) {
      case STATUS_PHASE:
        status.phase = readShared(reader, end, strings)
        break
      case STATUS_CONTAINERS:
        status.containers.push(readContainerStatus(reader, reader.contentEnd(end), strings))
        break
      case STATUS_INIT_CONTAINERS:
        status.init.push(readContainerStatus(reader, reader.contentEnd(end), strings))
        break
      case STATUS_EPHEMERAL_CONTAINERS:
        status.ephemeral.push(readContainerStatus(reader, reader.contentEnd(end), strings))
        break
      default:
        reader.skip(tag, end)
    }
  }
  return status
}

function readContainerStatus(reader: ProtobufReader, end: number, strings: StringTable): RunningImage {
  let name = ''
  let imageID = ''
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === CONTAINER_STATUS_NAME) name = readShared(reader, end, strings)
    else if (tag === CONTAINER_STATUS_IMAGE_ID) imageID = readShared(reader, end, strings)
    else reader.skip(tag, end)
  }
  return { name, imageID }
}

function readSpec(
  reader: ProtobufReader,
  end: number,
  status: Status,
  strings: StringTable,
): { nodeName: string; images: readonly PodImage[] } {
  let nodeName = ''
  const init: PodImage[] = []
  const containers: PodImage[] = []
  const ephemeral: PodImage[] = []
  const volumes: PodImage[] = []
  while (reader.position < end) {
    const tag = reader.varint()
    switch (tag) {
      case SPEC_NODE_NAME:
        nodeName = readShared(reader, end, strings)
        break
      case SPEC_CONTAINERS:
        containers.push(
          readContainer(reader, reader.contentEnd(end), 'container', status.containers, strings),
        )
        break
      case SPEC_INIT_CONTAINERS:
        init.push(readContainer(reader, reader.contentEnd(end), 'init', status.init, strings))
        break
      case SPEC_EPHEMERAL_CONTAINERS: {
        const image = readEphemeralContainer(reader, reader.contentEnd(end), status.ephemeral, strings)
        if (image) ephemeral.push(image)
        break
      }
      case SPEC_VOLUMES: {
        const image = readVolume(reader, reader.contentEnd(end), strings)
        if (image) volumes.push(image)
        break
      }
      default:
        reader.skip(tag, end)
    }
  }
  // Nearly every pod has ordinary containers only: no second array for it.
  const plain = init.length + ephemeral.length + volumes.length === 0
  return { nodeName, images: plain ? containers : [...init, ...containers, ...ephemeral, ...volumes] }
}

function readContainer(
  reader: ProtobufReader,
  end: number,
  type: ContainerType,
  running: readonly RunningImage[],
  strings: StringTable,
): PodImage {
  let name = ''
  let image = ''
  let pullPolicy = ''
  let sidecar = false
  while (reader.position < end) {
    const tag = reader.varint()
    switch (tag) {
      case CONTAINER_NAME:
        name = readShared(reader, end, strings)
        break
      case CONTAINER_IMAGE:
        image = readShared(reader, end, strings)
        break
      case CONTAINER_PULL_POLICY:
        pullPolicy = readShared(reader, end, strings)
        break
      case CONTAINER_RESTART_POLICY:
        // KEP-753: an init container that is restarted always is a sidecar; elsewhere the field means restarts only.
        sidecar = readShared(reader, end, strings) === 'Always' && type === 'init'
        break
      default:
        reader.skip(tag, end)
    }
  }
  let imageID = ''
  for (const candidate of running) if (candidate.name === name) imageID = candidate.imageID
  return { type: sidecar ? 'sidecar' : type, name, image, pullPolicy, imageID }
}

/** An EphemeralContainer holds the fields of a container in a message of its own, with the same numbers. */
function readEphemeralContainer(
  reader: ProtobufReader,
  end: number,
  running: readonly RunningImage[],
  strings: StringTable,
): PodImage | undefined {
  let image: PodImage | undefined
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === EPHEMERAL_COMMON) {
      image = readContainer(reader, reader.contentEnd(end), 'ephemeral', running, strings)
    } else reader.skip(tag, end)
  }
  return image
}

/** Undefined for every volume but an image volume (KEP-4639). */
function readVolume(reader: ProtobufReader, end: number, strings: StringTable): PodImage | undefined {
  let nameAt = 0
  let imageAt = 0
  let imageEnd = 0
  while (reader.position < end) {
    const tag = reader.varint()
    if (tag === VOLUME_SOURCE) {
      const sourceEnd = reader.contentEnd(end)
      while (reader.position < sourceEnd) {
        const sourceTag = reader.varint()
        if (sourceTag === VOLUME_SOURCE_IMAGE) {
          imageEnd = reader.contentEnd(sourceEnd)
          imageAt = reader.position
          reader.position = imageEnd
        } else reader.skip(sourceTag, sourceEnd)
      }
    } else {
      if (tag === VOLUME_NAME) nameAt = reader.position
      reader.skip(tag, end)
    }
  }
  if (imageAt === 0) return undefined
  let name = ''
  if (nameAt > 0) {
    reader.position = nameAt
    name = readShared(reader, end, strings)
  }
  let image = ''
  let pullPolicy = ''
  reader.position = imageAt
  while (reader.position < imageEnd) {
    const tag = reader.varint()
    if (tag === IMAGE_REFERENCE) image = readShared(reader, imageEnd, strings)
    else if (tag === IMAGE_PULL_POLICY) pullPolicy = readShared(reader, imageEnd, strings)
    else reader.skip(tag, imageEnd)
  }
  reader.position = end
  return { type: 'volume', name, image, pullPolicy, imageID: '' }
}
