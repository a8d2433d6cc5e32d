import type { Style } from './palette.ts'

/** One line in the last column: a field with its values, or a sentence where there is no label. */
export interface BlameLine {
  readonly label: string
  readonly lead: string
  /** None, one, or an old and a new one. */
  readonly values: readonly string[]
  readonly tail: string
  readonly style?: Style
}

/** A row of several lines, a line over the whole width, or a heading of the rows that follow. */
export type BlameItem =
  | {
      readonly type: 'row'
      readonly cells: readonly string[]
      readonly lines: readonly BlameLine[]
      readonly depth: number
      readonly style?: Style
    }
  | { readonly type: 'note'; readonly text: string; readonly style: Style; readonly within: boolean }
  | { readonly type: 'group'; readonly title: string; readonly aside: string }

/** A screen of changes as the features of blame make it. */
export interface BlameScreen {
  readonly header: readonly string[]
  readonly titles: readonly string[]
  readonly items: readonly BlameItem[]
  readonly footer: readonly string[]
  readonly shortened: string
}
