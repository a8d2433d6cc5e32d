import { DeckError } from '../../../core/lib/errors.ts'
import { parseImageReference, type ImageReference } from '../../../core/model/image-reference.ts'
import type { Image, ImageEvent } from '../../../core/wire/image.ts'
import type { CompanionPorts } from './companion-ports.ts'

/** What `kubectl images history` asks. */
export interface HistoryQuery {
  readonly image: ImageReference
  /** Neither tag nor digest was given: every one of them is meant. */
  readonly anyTag: boolean
  /** Epoch milliseconds; 0 for all there is. */
  readonly since: number
  /** So many of the newest; undefined for all. */
  readonly limit: number | undefined
}

/** When an image came into use and went out of it. */
export interface ImageHistory {
  /** The newest first. */
  readonly events: readonly ImageEvent[]
  /** How many there are, shown or not. */
  readonly found: number
  /** Its objects where it is in use, one for each spelling; undefined where that may not be asked. */
  readonly inUse: readonly Image[] | undefined
  /** Repositories in use that a person may have meant; only where nothing was found. */
  readonly similar: readonly string[]
  readonly warnings: readonly string[]
}

/** Reads the image of a command line: any spelling, with tag, digest, both or neither. */
export function parseHistoryImage(text: string): Pick<HistoryQuery, 'image' | 'anyTag'> {
  const image = parseImageReference(text)
  return { image, anyTag: image.registry !== '' && !/[:@]/.test(text.slice(text.lastIndexOf('/') + 1)) }
}

/** Reads the recorded events of an image, and whether it is in use. */
export async function imageHistory(
  ports: Pick<CompanionPorts, 'listEvents' | 'listImages'>,
  query: HistoryQuery,
  signal: AbortSignal,
): Promise<ImageHistory> {
  const [{ events, warnings }, images] = await Promise.all([
    matchingEvents(ports, query, signal),
    imagesInUse(ports, signal),
  ])
  const isMeant = imageTest(query)
  const inUse = images?.filter(({ image }) => isMeant(image.reference))
  const unknown = events.length === 0 && inUse?.length === 0
  return {
    events: events.toReversed().slice(0, query.limit),
    found: events.length,
    inUse,
    similar: unknown ? similarTo(query.image, images ?? []) : [],
    warnings,
  }
}

async function matchingEvents(
  ports: Pick<CompanionPorts, 'listEvents'>,
  query: HistoryQuery,
  signal: AbortSignal,
): Promise<{ events: ImageEvent[]; warnings: readonly string[] }> {
  const isMeant = imageTest(query)
  const events: ImageEvent[] = []
  const warnings = new Set<string>()
  for await (const page of ports.listEvents(query.since, signal)) {
    for (const event of page.events) if (isMeant(event.image)) events.push(event)
    for (const warning of page.warnings) warnings.add(warning)
  }
  return { events, warnings: [...warnings] }
}

async function imagesInUse(
  ports: Pick<CompanionPorts, 'listImages'>,
  signal: AbortSignal,
): Promise<readonly Image[] | undefined> {
  try {
    return (await ports.listImages(signal)).items
  } catch (error) {
    // It is a right of its own, and only adds a sentence.
    if (error instanceof DeckError && error.code === 'KUBE_FORBIDDEN') return undefined
    throw error
  }
}

/** Compares normal forms, so that each spelling in pod specs is found; a history repeats few of them often. */
function imageTest({ image, anyTag }: HistoryQuery): (reference: string) => boolean {
  const known = new Map<string, boolean>()
  return (reference) => {
    let meant = known.get(reference)
    if (meant === undefined) {
      const other = parseImageReference(reference)
      meant =
        other.name === image.name &&
        (anyTag || ((image.tag === '' || other.tag === image.tag) && hasDigest(other, image)))
      known.set(reference, meant)
    }
    return meant
  }
}

/** A tag alone also means where it is pinned to a digest. */
function hasDigest(other: ImageReference, { digest }: ImageReference): boolean {
  return digest === '' || other.digest === digest
}

function similarTo({ name }: ImageReference, images: readonly Image[]): string[] {
  const last = name.slice(name.lastIndexOf('/') + 1).toLowerCase()
  const names = new Set(images.map(({ image }) => image.name))
  return [...names].filter((other) => other.toLowerCase().includes(last)).toSorted()
}
