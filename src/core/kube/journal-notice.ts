/** What following a journal tells: its records, each once and in their order, and how the stream itself fares. */
export type JournalNotice<Item, List> =
  /** The first watch was accepted; told once, before all else. */
  | { readonly type: 'watching' }
  | { readonly type: 'record'; readonly record: Item }
  | { readonly type: 'interrupted' | 'failing'; readonly at: number; readonly reason: string }
  /** With `watch` nothing was missed: what happened meanwhile follows as records. */
  | {
      readonly type: 'resumed'
      readonly at: number
      readonly downMs: number
      readonly how: 'watch' | 'relist'
    }
  /** The place in the journal was lost; records after this list follow. */
  | { readonly type: 'relisted'; readonly list: List }
  /** The server answers and has not served the journal for so long that it is given up; the last notice. */
  | { readonly type: 'lost'; readonly at: number; readonly reason: string }
