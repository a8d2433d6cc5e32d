import type { ListPage, ServedObject, WatchNotice } from '../../../server/kit/api/resource.ts'
import type { Image, ImageEvent } from '../../../src/core/wire/image.ts'

/** Events of a list in short: `+nginx shop/web-1 late`. */
export function events({ items }: Pick<ListPage, 'items'>): string[] {
  return items.map(eventText)
}

/** Images of a list in short, with the number of their pods: `shop nginx 1`, or `* nginx 2` of the cluster. */
export function images({ items }: Pick<ListPage, 'items'>): string[] {
  return items.map(imageText)
}

/** What a watch told in short: `ADDED shop nginx 1`, `bookmark`, `initial end`. */
export function told(notices: readonly WatchNotice[]): string[] {
  return notices.map((notice) => {
    if (notice.type === 'BOOKMARK') return notice.initialEnd ? 'initial end' : 'bookmark'
    const text = notice.object.kind.endsWith('Event') ? eventText(notice.object) : imageText(notice.object)
    return `${notice.type} ${text}`
  })
}

function eventText(object: ServedObject): string {
  const { op, image, pod, late } = object as unknown as ImageEvent
  return `${op}${image} ${pod.namespace}/${pod.name}${late ? ' late' : ''}`
}

function imageText(object: ServedObject): string {
  const { image, usage, metadata } = object as unknown as Image
  return `${metadata.namespace ?? '*'} ${image.reference} ${usage.pods}`
}
