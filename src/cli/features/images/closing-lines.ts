import { groupPlacements, summarise, type Placement } from '../../../core/model/image-usage.ts'
import { plural } from '../../../core/lib/text.ts'
import type { ImagesInUse } from './list-images.ts'
import type { ViewRow } from './views.ts'

/**
 * What stands below the rows by image: the totals, what deserves a second look, and why a size is unknown. One line
 * each, without a line feed.
 */
export function closingLines(answer: ImagesInUse, rows: readonly ViewRow[], command: string): string[] {
  const total = summarise(answer.placements)
  const totals = [
    plural(rows.length, 'image'),
    plural(total.pods, 'pod'),
    plural(total.workloads, 'workload'),
  ]
  const mixed = rows.find(({ digests = [] }) => digests.length > 1)
  const lines = [`${totals.join(', ')}.${mixed ? ` ${mixedDigests(mixed, command)}` : ''}`]
  const sizes = sizeNote(answer, rows)
  return sizes === undefined ? lines : [...lines, sizes]
}

function mixedDigests({ image = '', tag = '', digests = [] }: ViewRow, command: string): string {
  const short = image.slice(image.lastIndexOf('/') + 1)
  return `(!) ${short}:${tag} runs as ${digests.length} digests: ${command} ${short} --by pod`
}

/** What `?` and `>` in the sizes of rows mean, and why; undefined where neither stands there. */
export function sizeNote({ placements, nodes }: ImagesInUse, rows: readonly ViewRow[]): string | undefined {
  const incomplete = rows.filter(({ unknownSizes = 0 }) => unknownSizes > 0)
  if (!nodes || incomplete.length === 0) return undefined
  const capped = placements.some(
    ({ pod, image, running }) =>
      nodes.size(pod.nodeName, image, running) === undefined && nodes.isCapped(pod.nodeName),
  )
  const reason = capped
    ? 'not among the 50 images that the node reports'
    : 'not reported by the node (not pulled yet, or pulled a moment ago)'
  const partly = incomplete.some(({ sizeBytes }) => sizeBytes !== undefined)
  if (!partly) return `? = ${reason}`
  const wholly = incomplete.some(({ sizeBytes }) => sizeBytes === undefined)
  if (wholly) return `? = ${reason}; > = more, by such images`
  return `> = more: some images are ${capped ? 'not among the 50 that the node reports' : reason}`
}

/** The first line of kubectl-images' table, with pods counted by namespace and name, and as many rows as are shown. */
export function summaryLine(placements: readonly Placement[]): string {
  const { namespaces, pods } = summarise(placements)
  const images = groupPlacements(placements, ({ use }) => use.image).size
  return `[Summary]: ${namespaces} namespaces, ${pods} pods, ${placements.length} containers and ${images} different images`
}
