import { createHash } from 'node:crypto'
import type { ImageContent } from '../kubernetes/node-images.ts'
import type { Node } from '../kubernetes/node.ts'
import { inFull, SHOP_IMAGES } from './shop-images.ts'

const KIBIBYTE = 1024

/** Stand-ins for the shop's images on a real node, by their names in full: a shell and some filling each. */
export function shopImageContents(): Record<string, ImageContent> {
  const references = [...new Set(Object.values(SHOP_IMAGES).map(inFull))]
  return Object.fromEntries(
    references.map((reference, index) => [reference, standIn(reference, 300 * (index + 1))]),
  )
}

/** Moves redis' tag to another content, as a registry does one day; gives the new digest. */
export function moveRedisTag(node: Node): Promise<string> {
  return node.importImage(inFull(SHOP_IMAGES.redis), standIn('the next redis', 3000))
}

function standIn(seed: string, kibibytes: number): ImageContent {
  // What does not compress, so that sizes differ wherever they are counted.
  const filling = createHash('shake256', { outputLength: kibibytes * KIBIBYTE })
    .update(seed)
    .digest()
  return { files: { 'etc/stands-in-for': `${seed}\n`, 'usr/filling': filling } }
}
