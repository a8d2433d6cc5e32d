import type { ContainerType, PodImage, PodSlice } from '../../../src/core/wire/pod.ts'

const HEX = '0123456789abcdef'

/** A manifest digest that is easy to tell from others: `digest(1)`. */
export function digest(number: number): string {
  return `sha256:${(HEX[number] ?? 'f').repeat(64)}`
}

/** One image of a pod: `use('app', 'nginx:1.25', { running: 1 })` runs as `digest(1)`. */
export function use(
  name: string,
  image: string,
  { type = 'container', running }: { type?: ContainerType; running?: number } = {},
): PodImage {
  const imageID = running === undefined ? '' : `docker.io/library/any@${digest(running)}`
  return { type, name, image, pullPolicy: 'IfNotPresent', imageID }
}

/** A pod of Deployment `web` on node `n1` in namespace `shop`, unless `over` says otherwise. */
export function webPod(name: string, images: readonly PodImage[], over: Partial<PodSlice> = {}): PodSlice {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5b', uid: 'rs' }
  const base = {
    namespace: 'shop',
    resourceVersion: '1',
    nodeName: 'n1',
    phase: 'Running',
    templateHash: '5b',
  }
  const uid = `${over.namespace ?? base.namespace}/${name}`
  return { ...base, uid, name, owner, images, ...over }
}
