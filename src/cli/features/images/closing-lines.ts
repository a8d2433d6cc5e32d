import { plural } from '../../../core/lib/text.ts'
import type { ImagesAnswer } from './images-answer.ts'
import type { ViewRow } from './views.ts'

/** Sentences that would wrap on such a screen begin a line of their own. */
const SCREEN_COLUMNS = 100

/**
 * What stands below the rows by image: the totals, what deserves a second look, and why a size is unknown. One line
 * each, without a line feed.
 */
export function closingLines(
  answer: Pick<ImagesAnswer, 'totals' | 'unknownSizes'>,
  rows: readonly ViewRow[],
  command: string,
): string[] {
  const total = answer.totals()
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
export function sizeNote(
  answer: Pick<ImagesAnswer, 'unknownSizes'>,
  rows: readonly ViewRow[],
): string | undefined {
  const incomplete = rows.filter(
    ({ sizeBytes, unknownSizes = 0 }) => sizeBytes === undefined || unknownSizes > 0,
  )
  const reason = incomplete.length > 0 ? answer.unknownSizes() : undefined
  if (reason === undefined) return undefined
  const partly = incomplete.some(({ sizeBytes }) => sizeBytes !== undefined)
  if (!partly) return `? = ${reason}`
  const wholly = incomplete.some(({ sizeBytes }) => sizeBytes === undefined)
  if (wholly) return `? = ${reason}; > = more, by such images`
  return `> = more: some images are ${reason}`
}

/** The first line of kubectl-images' table; equal pod names in two namespaces are two pods, and each row a container. */
export function summaryLine(answer: Pick<ImagesAnswer, 'totals' | 'references'>, rows: number): string {
  const { namespaces, pods } = answer.totals()
  return `[Summary]: ${namespaces} namespaces, ${pods} pods, ${rows} containers and ${answer.references()} different images`
}
