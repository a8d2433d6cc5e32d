import type { ContainerType, PodImage, PodOwner, PodSlice } from '../wire/pod.ts'
import type { StringTable } from './protobuf-string-table.ts'

/** Any JSON value seen as an object; what is no object has no members. */
type Members = Readonly<Record<string, unknown>>

/** Reads a core/v1 Pod from its JSON value; what is missing or of another type comes out empty. */
export function podFromJson(value: unknown, strings: StringTable): PodSlice {
  const pod = members(value)
  const metadata = members(pod['metadata'])
  const spec = members(pod['spec'])
  const status = members(pod['status'])
  const shared = (text: unknown): string => strings.fromText(string(text))
  const images = (type: ContainerType, containers: unknown, statuses: unknown): PodImage[] =>
    list(containers).map((container) => {
      const name = shared(container['name'])
      const running = list(statuses).findLast((candidate) => candidate['name'] === name)
      return {
        // KEP-753: an init container that is restarted always is a sidecar.
        type: type === 'init' && container['restartPolicy'] === 'Always' ? 'sidecar' : type,
        name,
        image: shared(container['image']),
        pullPolicy: shared(container['imagePullPolicy']),
        imageID: shared(running?.['imageID']),
      }
    })
  return {
    uid: string(metadata['uid']),
    namespace: shared(metadata['namespace']),
    name: string(metadata['name']),
    resourceVersion: string(metadata['resourceVersion']),
    nodeName: shared(spec['nodeName']),
    phase: shared(status['phase']),
    templateHash: shared(members(metadata['labels'])['pod-template-hash']),
    owner: controllerOf(metadata, shared),
    images: [
      ...images('init', spec['initContainers'], status['initContainerStatuses']),
      ...images('container', spec['containers'], status['containerStatuses']),
      ...images('ephemeral', spec['ephemeralContainers'], status['ephemeralContainerStatuses']),
      ...list(spec['volumes']).flatMap((volume) => imageVolume(volume, shared)),
    ],
  }
}

function controllerOf(metadata: Members, shared: (text: unknown) => string): PodOwner | undefined {
  const owner = list(metadata['ownerReferences']).find((reference) => reference['controller'] === true)
  return (
    owner && {
      apiVersion: shared(owner['apiVersion']),
      kind: shared(owner['kind']),
      name: shared(owner['name']),
      uid: shared(owner['uid']),
    }
  )
}

function imageVolume(volume: Members, shared: (text: unknown) => string): PodImage[] {
  if (volume['image'] === undefined || volume['image'] === null) return []
  const source = members(volume['image'])
  return [
    {
      type: 'volume',
      name: shared(volume['name']),
      image: shared(source['reference']),
      pullPolicy: shared(source['pullPolicy']),
      imageID: '',
    },
  ]
}

function members(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {}
}

function list(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.map(members) : []
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
