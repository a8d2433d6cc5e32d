/** What `listWatch` tells: the objects as they come, change and go, and how the stream itself fares. */
export type ListWatchEvent<T> =
  /** `initial`: part of the first list. */
  | { readonly type: 'added'; readonly object: T; readonly initial: boolean }
  | { readonly type: 'modified'; readonly object: T; readonly previous: T }
  /** `object` is the last known state. */
  | { readonly type: 'deleted'; readonly object: T }
  /** The first list is whole; told once. */
  | { readonly type: 'synced'; readonly count: number }
  /** The watch was lost, or its history has expired; told once per outage. */
  | { readonly type: 'interrupted'; readonly at: number; readonly reason: string }
  /** The outage lasts, and for some attempts by now for another reason than the one that was told last. */
  | { readonly type: 'failing'; readonly at: number; readonly reason: string }
  /**
   * The outage is over. What was missed has been told since `interrupted`: with `watch` each event as it happened,
   * with `relist` the difference between what was known and what is there.
   */
  | {
      readonly type: 'resumed'
      readonly at: number
      readonly downMs: number
      readonly how: 'watch' | 'relist'
    }
