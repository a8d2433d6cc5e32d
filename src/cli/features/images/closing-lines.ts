import { groupPlacements, summarise, type Placement } from '../../../core/model/image-usage.ts'
import { plural } from '../../../core/lib/text.ts'
import type { ImagesInUse } from './list-images.ts'
import type { ViewRow } from './views.ts'

/** Sentences that would wrap on such a screen begin a line of their own. */
const SCREEN_COLUMNS = 100

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
  const mixed = rows.filter(({ digests = [] }) => digests.length > 1)
  const said = [`${totals.join(', ')}.`]
  if (mixed[0]) said.push(mixedDigests(mixed[0], mixed.length - 1, command))
  const oneLine = said.join(' ')
  const sizes = sizeNote(answer, rows)
  return [...(oneLine.length <= SCREEN_COLUMNS ? [oneLine] : said), ...(sizes === undefined ? [] : [sizes])]
}

function mixedDigests({ image = '', tag, digests = [] }: ViewRow, more: number, command: string): string {
  const short = `${image.slice(image.lastIndexOf('/') + 1)}${tag ? `:${tag}` : ''}`
  const others = more > 0 ? ` (${more} more such)` : ''
  return `(!) ${short} runs as ${digests.length} digests${others}: ${command} ${short} --by pod`
}

/** What `?` and `>` in the sizes of rows mean, and why; undefined where neither stands there. */
export function sizeNote({ placements, nodes }: ImagesInUse, rows: readonly ViewRow[]): string | undefined {
  const incomplete = rows.filter(
    ({ sizeBytes, unknownSizes = 0 }) => sizeBytes === undefined || unknownSizes > 0,
  )
  if (!nodes || incomplete.length === 0) return undefined
  const unknown = placements.filter(
    ({ pod, image, running }) => nodes.size(pod.nodeName, image, running) === undefined,
  )
  const capped = unknown.some(({ pod }) => nodes.isCapped(pod.nodeName))
  const absent = unknown.some(({ pod }) => !nodes.isCapped(pod.nodeName))
  const reason = capped
    ? `not among the 50 images that the node reports${absent ? ', or not pulled yet' : ''}`
    : 'not reported by the node (not pulled yet, or pulled a moment ago)'
  const partly = incomplete.some(({ sizeBytes }) => sizeBytes !== undefined)
  if (!partly) return `? = ${reason}`
  const wholly = incomplete.some(({ sizeBytes }) => sizeBytes === undefined)
  if (wholly) return `? = ${reason}; > = more, by such images`
  return `> = more: some images are ${reason}`
}

/** The first line of kubectl-images' table; equal pod names in two namespaces are two pods, and each row a container. */
export function summaryLine(placements: readonly Placement[], rows: number): string {
  const { namespaces, pods } = summarise(placements)
  const images = groupPlacements(placements, ({ use }) => use.image).size
  return `[Summary]: ${namespaces} namespaces, ${pods} pods, ${rows} containers and ${images} different images`
}
