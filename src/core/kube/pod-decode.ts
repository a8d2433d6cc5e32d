import type { PodSlice } from '../wire/pod.ts'
import type { ObjectDecoder } from './paged-list.ts'
import { podFromJson } from './pod-decode-json.ts'
import { readPod } from './pod-decode-protobuf.ts'
import { StringTable } from './protobuf-string-table.ts'

/** Reads pods from either encoding into equal slices; strings that repeat are shared by all that one decoder read. */
export function podDecoder(): ObjectDecoder<PodSlice> {
  const strings = new StringTable()
  return {
    fromJson: (value) => podFromJson(value, strings),
    fromProtobuf: (reader, end) => readPod(reader, end, strings),
    keyOf: (pod) => `${pod.namespace}/${pod.name}`,
  }
}
