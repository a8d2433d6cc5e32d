import { visible } from '../../core/lib/text.ts'
import { layoutOf, streamLayout } from './blame-layout.ts'
import type { BlameItem, BlameScreen } from './blame-screen.ts'
import { BlameWriter } from './blame-writer.ts'
import { gatherChunks, type Chunks } from './chunks.ts'
import { wrapText } from './fit.ts'
import { plainPalette, type Palette } from './palette.ts'

/** How a screen is written. */
export interface BlameListOptions {
  readonly palette?: Palette
  /** Columns of the terminal, or 100; no line is longer. */
  readonly width: number
  readonly noHeaders?: boolean
}

/** A screen's text for stdout, and lines of advice for stderr, without line feeds. */
export interface RenderedBlame {
  readonly chunks: Chunks
  readonly footer: readonly string[]
}

/**
 * A screen of changes: names wrapped and never cut, values shortened to the width with an ellipsis, which the footer
 * then explains, everything made visible.
 */
export function renderBlameList(screen: BlameScreen, options: BlameListOptions): RenderedBlame {
  const { palette = plainPalette, width, noHeaders = false } = options
  const writer = new BlameWriter(layoutOf(screen, width), palette)
  const lines = noHeaders ? [] : screen.header.flatMap((text) => wrapText(visible(text), width))
  if (!noHeaders && screen.titles.length > 0) lines.push(...writer.titles(screen.titles))
  for (const item of screen.items) lines.push(...writer.item(item))
  const footer = [
    ...(noHeaders ? [] : screen.footer),
    ...(writer.shortened ? [`… = ${screen.shortened}`] : []),
  ]
  return {
    chunks: gatherChunks(lines.map((line) => `${line}\n`)),
    footer: footer.flatMap((text) => wrapText(visible(text), width)),
  }
}

/** Writes rows as they come, in columns that stay as they are. */
export interface BlameStream {
  /** Lines with their line feeds. */
  write(items: readonly BlameItem[]): string
  /** The advice that is due from now on, once. */
  footer(): readonly string[]
}

/** A stream of rows under these titles, of which none is written. */
export function createBlameStream(
  { titles, shortened }: Pick<BlameScreen, 'titles' | 'shortened'>,
  { palette = plainPalette, width }: BlameListOptions,
): BlameStream {
  const writer = new BlameWriter(streamLayout(titles, width), palette)
  let told = false
  return {
    write: (items) => items.flatMap((item) => writer.item(item).map((line) => `${line}\n`)).join(''),
    footer() {
      if (told || !writer.shortened) return []
      told = true
      return wrapText(`… = ${shortened}`, width)
    },
  }
}
