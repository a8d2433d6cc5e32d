import { parseImageReference } from '../../../core/model/image-reference.ts'
import { imageMatches, type ImageMatch } from '../../../core/model/image-usage.ts'
import { workloadRef } from '../../../core/model/workload-owner.ts'
import { DECKWATCH_API_VERSION, type Image, type ImageUse } from '../../../core/wire/image.ts'
import type { ServedImages } from './companion-ports.ts'
import type { ImagesAnswer } from './images-answer.ts'
import { sortByIdentity, type ViewRow } from './views.ts'

/**
 * The answer by image that the companion's objects give, the same as pods would; undefined where it could differ, since
 * the objects do not tell enough: REGEX takes some spellings of an image and not others, or the spellings run as what
 * may be digests and bare image ids.
 */
export function servedAnswer(
  served: ServedImages,
  match: ImageMatch | undefined,
  namespace: string | undefined,
): ImagesAnswer | undefined {
  const groups = [...Map.groupBy(served.items, ({ image }) => parseImageReference(image.reference).key)]
  const chosen: ViewRow[] = []
  const images: Image[] = []
  for (const [, group] of groups) {
    const matching = group.filter(
      ({ image }) => !match || imageMatches(match, parseImageReference(image.reference)),
    )
    if (matching.length === 0) continue
    const row = matching.length === group.length ? imageRow(group) : undefined
    if (!row) return undefined
    chosen.push(row)
    images.push(...group)
  }
  const rows = sortByIdentity(chosen)
  const { summary, resourceVersion } = served
  const kind = namespace === undefined ? 'ClusterImageList' : 'ImageList'
  const items = images.toSorted((a, b) => (a.image.reference < b.image.reference ? -1 : 1))
  return {
    pods: summary.pods,
    // The companion's own are passed on as they are, and mean no loss.
    warnings: [],
    rows: () => rows,
    images: async () => ({
      apiVersion: DECKWATCH_API_VERSION,
      kind,
      metadata: { resourceVersion },
      items,
    }),
    totals: () => summary,
    references: () => images.length,
    // Which of the two, the objects do not tell.
    unknownSizes: () => 'not among the 50 images that a node reports, or not pulled yet',
  }
}

/** One row of all spellings of an image. */
function imageRow(group: readonly Image[]): ViewRow | undefined {
  const [first] = group
  const usage = group.length === 1 ? first?.usage : first?.usageTogether
  const digests = unitedDigests(group.map((image) => image.digests))
  if (!first || !usage || !digests) return undefined
  const uses = group.flatMap((image) => image.usage.by)
  const sizes = group.flatMap(({ sizeBytes }) => (sizeBytes === undefined ? [] : [sizeBytes]))
  return {
    image: first.image.name,
    tag: first.image.tag,
    ...(first.image.digest ? { pinned: first.image.digest } : {}),
    references: distinct(group.map(({ image }) => image.reference)),
    types: distinct(uses.map(({ type }) => type)),
    digests,
    pods: usage.pods,
    workloads: usage.workloads,
    namespaces: usage.namespaces,
    nodes: usage.nodes,
    ...(sizes.length > 0 ? { sizeBytes: Math.max(...sizes) } : { unknownSizes: 1 }),
    usedBy: usedBy(uses),
  }
}

/**
 * What runs under all spellings together. Each list has digests only or bare image ids only, and beside digests the ids
 * do not count; lists that share nothing may be of either kind, which none of them says: undefined.
 */
function unitedDigests(lists: readonly (readonly string[])[]): string[] | undefined {
  let apart = lists.filter((list) => list.length > 0)
  let united = new Set(apart.shift())
  while (apart.length > 0) {
    const joined = apart.filter((list) => list.some((digest) => united.has(digest)))
    if (joined.length === 0) return undefined
    united = new Set([...united, ...joined.flat()])
    apart = apart.filter((list) => !joined.includes(list))
  }
  return [...united].toSorted()
}

function usedBy(uses: readonly ImageUse[]): NonNullable<ViewRow['usedBy']> {
  const named = uses.map((use) => ({ namespace: use.namespace, workload: workloadRef(use) }))
  return sortByIdentity([...new Map(named.map((row) => [`${row.namespace} ${row.workload}`, row])).values()])
}

function distinct<Text extends string>(values: readonly Text[]): Text[] {
  return [...new Set(values)].toSorted((a, b) => (a < b ? -1 : 1))
}
