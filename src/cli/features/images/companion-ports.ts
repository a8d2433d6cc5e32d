import type { JournalNotice } from '../../../core/kube/journal-notice.ts'
import type { Image, ImageEvent, ServedImageList } from '../../../core/wire/image.ts'

/** The images in use as the companion told them. */
export interface ServedImages {
  readonly items: readonly Image[]
  readonly summary: ServedImageList['summary']
  /** Events after this one are not in it. */
  readonly resourceVersion: string
  /** What the companion wants its reader to know, one sentence each. */
  readonly warnings: readonly string[]
}

/** Some of the recorded events, the oldest first. */
export interface EventPage {
  readonly events: readonly ImageEvent[]
  /** A watch from here misses nothing. */
  readonly resourceVersion: string
  readonly warnings: readonly string[]
}

/**
 * What the images features need of a companion, about one namespace or the whole cluster; every call ends with a
 * DeckError or the signal's reason.
 */
export interface CompanionPorts {
  listImages(signal: AbortSignal): Promise<ServedImages>
  /** Events of this moment (epoch milliseconds) or later, page by page; at least one page. */
  listEvents(since: number, signal: AbortSignal): AsyncIterable<EventPage>
  /** Events after a version, over whatever happens; throws only until the first watch is accepted. */
  followEvents(
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncIterable<JournalNotice<ImageEvent, ServedImages>>
}
