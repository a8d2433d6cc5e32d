import { groupPlacements, summarise } from '../../../core/model/image-usage.ts'
import type { DeckList, Image, UsageCounts } from '../../../core/wire/image.ts'
import type { ImagesInUse } from './list-images.ts'
import { viewRows, type ViewName, type ViewRow } from './views.ts'

/** What is printed of an answer, wherever it came from. */
export interface ImagesAnswer {
  /** How many pods were asked for and found, whether their images match or not. */
  readonly pods: number
  /** What could not be found out, one sentence each. */
  readonly warnings: readonly string[]
  rows(view: ViewName): ViewRow[]
  /** The objects of `-o json`, sorted by reference. */
  images(): Promise<DeckList<Image>>
  /** Pods, workloads and namespaces behind all rows, each once. */
  totals(): Omit<UsageCounts, 'nodes'>
  /** How many different strings of pod specs name an image. */
  references(): number
  /** Why sizes are unknown where they are; undefined where no node was asked. */
  unknownSizes(): string | undefined
}

/** The answer that was found by asking pods; `namespace` is undefined for all of them. */
export function podsAnswer(inUse: ImagesInUse, namespace: string | undefined): ImagesAnswer {
  const { pods, warnings, placements, nodes } = inUse
  return {
    pods,
    warnings,
    rows: (view) => viewRows(view, placements, nodes),
    async images() {
      // Their names are hashes, and node:crypto takes longer to load than most answers to print.
      const { imageList } = await import('../../../core/model/image-objects.ts')
      return imageList(placements, nodes, namespace)
    },
    totals: () => summarise(placements),
    references: () => groupPlacements(placements, ({ use }) => use.image).size,
    unknownSizes: () => unknownSizes(inUse),
  }
}

function unknownSizes({ placements, nodes }: ImagesInUse): string | undefined {
  if (!nodes) return undefined
  const unknown = placements.filter(
    ({ pod, image, running }) => nodes.size(pod.nodeName, image, running) === undefined,
  )
  const capped = unknown.some(({ pod }) => nodes.isCapped(pod.nodeName))
  const absent = unknown.some(({ pod }) => !nodes.isCapped(pod.nodeName))
  return capped
    ? `not among the 50 images that the node reports${absent ? ', or not pulled yet' : ''}`
    : 'not reported by the node (not pulled yet, or pulled a moment ago)'
}
