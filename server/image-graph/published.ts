import type { ServedImageList } from '../../src/core/wire/image.ts'
import type { ResourceScope } from '../kit/api/resource.ts'
import type { Scope } from './image-state.ts'
import { NoticeLog, type NoticeEntry } from './notice-log.ts'
import type { ImageGraphPlural } from './resources.ts'
import type { ServedImage } from './served-objects.ts'
import type { ImageJournal } from './image-journal.ts'
import type { ImageIdentity, KeptImage } from './journal-records.ts'

/** The object of an image in use and what is kept of it. */
export interface PublishedImage {
  readonly kept: KeptImage
  readonly object: ServedImage
}

/** One committed step. */
export interface PublishedStep {
  readonly images: readonly PublishedImage[]
  readonly goneImages: readonly ImageIdentity[]
  readonly notices: Readonly<Record<ImageGraphPlural, readonly NoticeEntry[]>>
}

/** Which of the two resources of images. */
export type ImagePlural = Extract<ImageGraphPlural, 'images' | 'clusterimages'>

type Summary = ServedImageList['summary']

/** What stands between the recorder and the readers. */
export interface PublishedDeps {
  readonly journal: ImageJournal
  /** Counts over the scopes, each pod and workload once. */
  readonly summarise: (wanted: (scope: NonNullable<Scope>) => boolean) => Summary
}

/** What readers see: what is committed, and nothing before it is. */
export class Published {
  readonly journal: ImageJournal
  readonly logs: Readonly<Record<ImageGraphPlural, NoticeLog>>
  readonly #summarise: PublishedDeps['summarise']
  readonly #images: Record<ImagePlural, Map<string, PublishedImage>> = {
    images: new Map(),
    clusterimages: new Map(),
  }
  /** Made anew when somebody asks after a step. */
  readonly #sorted = new Map<ImagePlural, readonly PublishedImage[]>()
  readonly #summaries = new Map<string, Summary>()
  /** Epoch milliseconds since when nothing can be written; undefined while all is well. */
  fullSince: number | undefined

  /** Begins with everything that the journal has numbered so far told. */
  constructor({ journal, summarise }: PublishedDeps) {
    const log = (): NoticeLog => new NoticeLog(journal.state.number)
    this.journal = journal
    this.logs = { images: log(), clusterimages: log(), imageevents: log(), clusterimageevents: log() }
    this.#summarise = summarise
  }

  /** Everything up to this number has happened. */
  get number(): number {
    return this.journal.state.number
  }

  apply({ images, goneImages, notices }: PublishedStep): void {
    for (const identity of goneImages) this.#of(identity).delete(imageId(identity))
    for (const image of images) this.#of(image.kept).set(imageId(image.kept), image)
    this.#sorted.clear()
    this.#summaries.clear()
    for (const [plural, entries] of Object.entries(notices))
      this.logs[plural as ImageGraphPlural].append(entries)
  }

  /** How many objects the resource has. */
  count(plural: ImagePlural): number {
    return this.#images[plural].size
  }

  image(plural: ImagePlural, identity: ImageIdentity): PublishedImage | undefined {
    return this.#images[plural].get(imageId(identity))
  }

  /** The objects of the scope by namespace and name. */
  list(plural: ImagePlural, scope: ResourceScope): readonly PublishedImage[] {
    let sorted = this.#sorted.get(plural)
    if (!sorted) {
      sorted = [...this.#images[plural].values()].toSorted(byNamespaceAndName)
      this.#sorted.set(plural, sorted)
    }
    return scope.namespace === undefined ? sorted : sorted.filter(({ kept }) => isInScope(scope, kept))
  }

  summary(scope: ResourceScope): Summary {
    const key = `${scope.namespace ?? ''}/${scope.namespaceUid ?? ''}`
    let summary = this.#summaries.get(key)
    if (!summary) this.#summaries.set(key, (summary = this.#summarise((own) => isInScope(scope, own))))
    return summary
  }

  /** Asks all watchers for a bookmark. */
  tick(): void {
    for (const log of Object.values(this.logs)) log.tick()
  }

  /** Ends all watches. */
  close(): void {
    for (const log of Object.values(this.logs)) log.close()
  }

  #of({ namespace }: ImageIdentity): Map<string, PublishedImage> {
    return this.#images[namespace === '' ? 'clusterimages' : 'images']
  }
}

/** An image's identity as a key. */
export function imageId({ namespace, namespaceUid, reference }: ImageIdentity): string {
  return `${namespace}/${namespaceUid} ${reference}`
}

/** Whether a record of this namespace may be told to who asks for this scope. */
export function isInScope(
  scope: ResourceScope,
  { namespace, namespaceUid }: { readonly namespace: string; readonly namespaceUid: string },
): boolean {
  return (
    (scope.namespace === undefined || scope.namespace === namespace) &&
    (scope.namespaceUid === undefined || scope.namespaceUid === namespaceUid)
  )
}

function byNamespaceAndName(a: PublishedImage, b: PublishedImage): number {
  return (
    compare(a.kept.namespace, b.kept.namespace) || compare(a.object.metadata.name, b.object.metadata.name)
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
