/** How long and how much of the history of images is kept; whichever limit is reached first. */
export interface ImageGraphConfig {
  /** Milliseconds. */
  readonly historyMs: number
  readonly historyEvents: number
  /** Of the room's whole store. */
  readonly historyBytes: number
}

const DAY = 24 * 60 * 60 * 1000

/** What is kept where nobody chose. */
export const IMAGE_GRAPH_DEFAULTS: ImageGraphConfig = {
  historyMs: 7 * DAY,
  historyEvents: 200_000,
  historyBytes: 256 * 1024 * 1024,
}
