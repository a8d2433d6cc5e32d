/** How a member of a JSON object is written: its field number and form. */
type Field = readonly [number: number, form: Form]
type Form = 'string' | 'number' | 'bool' | 'time' | 'fieldsV1' | 'labels' | Schema
/** The members of a message; arrays are repeated fields. */
interface Schema {
  readonly [member: string]: Field
}

// Field numbers: generated.proto of k8s.io/api/core/v1 and k8s.io/apimachinery/pkg/apis/meta/v1. Written are the
// fields that a slice is made of and, so that a reader has something to step over, the ones that are largest.
const OWNER: Schema = {
  kind: [1, 'string'],
  name: [3, 'string'],
  uid: [4, 'string'],
  apiVersion: [5, 'string'],
  controller: [6, 'bool'],
  blockOwnerDeletion: [7, 'bool'],
}
const MANAGED_FIELDS: Schema = {
  manager: [1, 'string'],
  operation: [2, 'string'],
  apiVersion: [3, 'string'],
  time: [4, 'time'],
  fieldsType: [6, 'string'],
  fieldsV1: [7, 'fieldsV1'],
  subresource: [8, 'string'],
}
const OBJECT_META: Schema = {
  name: [1, 'string'],
  generateName: [2, 'string'],
  namespace: [3, 'string'],
  uid: [5, 'string'],
  resourceVersion: [6, 'string'],
  generation: [7, 'number'],
  creationTimestamp: [8, 'time'],
  deletionTimestamp: [9, 'time'],
  labels: [11, 'labels'],
  annotations: [12, 'labels'],
  ownerReferences: [13, OWNER],
  finalizers: [14, 'string'],
  managedFields: [17, MANAGED_FIELDS],
}
const CONTAINER: Schema = {
  name: [1, 'string'],
  image: [2, 'string'],
  command: [3, 'string'],
  args: [4, 'string'],
  env: [7, { name: [1, 'string'], value: [2, 'string'] }],
  imagePullPolicy: [14, 'string'],
  stdin: [16, 'bool'],
  restartPolicy: [24, 'string'],
}
const CONTAINER_STATUS: Schema = {
  name: [1, 'string'],
  state: [2, { running: [2, { startedAt: [1, 'time'] }] }],
  ready: [4, 'bool'],
  restartCount: [5, 'number'],
  image: [6, 'string'],
  imageID: [7, 'string'],
  containerID: [8, 'string'],
  started: [9, 'bool'],
}
const VOLUME_SOURCE: Schema = {
  emptyDir: [2, { medium: [1, 'string'] }],
  image: [30, { reference: [1, 'string'], pullPolicy: [2, 'string'] }],
}
const POD: Schema = {
  metadata: [1, OBJECT_META],
  spec: [
    2,
    {
      volumes: [1, { name: [1, 'string'], volumeSource: [2, VOLUME_SOURCE] }],
      containers: [2, CONTAINER],
      restartPolicy: [3, 'string'],
      terminationGracePeriodSeconds: [4, 'number'],
      nodeName: [10, 'string'],
      initContainers: [20, CONTAINER],
      ephemeralContainers: [
        34,
        { ephemeralContainerCommon: [1, CONTAINER], targetContainerName: [2, 'string'] },
      ],
    },
  ],
  status: [
    3,
    {
      phase: [1, 'string'],
      podIP: [6, 'string'],
      startTime: [7, 'time'],
      containerStatuses: [8, CONTAINER_STATUS],
      initContainerStatuses: [10, CONTAINER_STATUS],
      ephemeralContainerStatuses: [13, CONTAINER_STATUS],
    },
  ],
}
const NODE: Schema = {
  metadata: [1, OBJECT_META],
  spec: [2, { podCIDR: [1, 'string'] }],
  status: [
    3,
    {
      phase: [3, 'string'],
      images: [8, { names: [1, 'string'], sizeBytes: [2, 'number'] }],
    },
  ],
}
const LIST_META: Schema = {
  resourceVersion: [2, 'string'],
  continue: [3, 'string'],
  remainingItemCount: [4, 'number'],
}
const STATUS: Schema = {
  metadata: [1, LIST_META],
  status: [2, 'string'],
  message: [3, 'string'],
  reason: [4, 'string'],
  details: [
    5,
    {
      name: [1, 'string'],
      group: [2, 'string'],
      kind: [3, 'string'],
      causes: [4, { reason: [1, 'string'], message: [2, 'string'], field: [3, 'string'] }],
      retryAfterSeconds: [5, 'number'],
      uid: [6, 'string'],
    },
  ],
  code: [6, 'number'],
}
const MESSAGES: Readonly<Record<string, Schema>> = {
  Pod: POD,
  Node: NODE,
  Status: STATUS,
  PodList: { metadata: [1, LIST_META], items: [2, POD] },
  NodeList: { metadata: [1, LIST_META], items: [2, NODE] },
}

/** A JSON value that has a `kind`. */
export interface Kinded {
  readonly kind: string
  readonly apiVersion?: string | undefined
  readonly [more: string]: unknown
}

/** Whether `encodeObject` knows the kind. */
export function hasProtobuf(kind: string): boolean {
  return kind in MESSAGES
}

/** A JSON object as `k8s\0` and an Unknown, the way the API server answers. */
export function encodeObject(object: Kinded): Buffer {
  const schema = MESSAGES[object.kind]
  if (!schema) throw new Error(`no protobuf for ${object.kind}`)
  const typeMeta = message(
    { apiVersion: object.apiVersion, kind: object.kind },
    { apiVersion: [1, 'string'], kind: [2, 'string'] },
  )
  return Buffer.concat([
    Buffer.from('k8s\0'),
    delimited(1, typeMeta),
    delimited(2, message(object, schema)),
    // gogo writes the two empty strings of an Unknown as well.
    delimited(3, Buffer.alloc(0)),
    delimited(4, Buffer.alloc(0)),
  ])
}

/** One watch event as a frame: four bytes of length and a WatchEvent. */
export function encodeWatchFrame(type: string, object: Kinded): Buffer {
  const event = Buffer.concat([
    delimited(1, Buffer.from(type)),
    delimited(2, delimited(1, encodeObject(object))),
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(event.length)
  return Buffer.concat([length, event])
}

function message(value: object, schema: Schema): Buffer {
  // JSON holds some members directly that protobuf holds in a message of their own.
  const members: Readonly<Record<string, unknown>> = {
    ...value,
    ...('ephemeralContainerCommon' in schema ? { ephemeralContainerCommon: value } : {}),
    ...('volumeSource' in schema ? { volumeSource: value } : {}),
  }
  const parts: Buffer[] = []
  for (const [member, [number, form]] of Object.entries(schema)) {
    const found = members[member]
    if (found === undefined || found === null) continue
    for (const one of Array.isArray(found) ? (found as unknown[]) : [found])
      parts.push(field(number, form, one))
  }
  return Buffer.concat(parts)
}

function field(number: number, form: Form, value: unknown): Buffer {
  switch (form) {
    case 'string':
      return delimited(number, Buffer.from(String(value)))
    case 'number':
      return Buffer.concat([varint(number * 8), varint(Number(value))])
    case 'bool':
      return Buffer.concat([varint(number * 8), varint(value === true ? 1 : 0)])
    case 'time':
      return delimited(
        number,
        Buffer.concat([varint(8), varint(Math.floor(Date.parse(String(value)) / 1000))]),
      )
    case 'fieldsV1':
      return delimited(number, delimited(1, Buffer.from(JSON.stringify(value))))
    case 'labels':
      return Buffer.concat(
        Object.entries(value as Readonly<Record<string, string>>).map(([key, text]) =>
          delimited(number, Buffer.concat([delimited(1, Buffer.from(key)), delimited(2, Buffer.from(text))])),
        ),
      )
    default:
      return delimited(number, message(value as object, form))
  }
}

function delimited(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, BigInt(value))
  while (left >= 0x80n) {
    bytes.push(Number(left & 0x7fn) | 0x80)
    left >>= 7n
  }
  bytes.push(Number(left))
  return Buffer.from(bytes)
}
