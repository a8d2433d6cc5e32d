import { createPalette, type Palette } from '../../render/palette.ts'
import type { Output } from '../../shell/output.ts'
import type { Session } from '../../shell/session.ts'
import type { BlameOptions } from './options.ts'

/** What a screen is where nobody looks at it; results fit it everywhere. */
const SCREEN_COLUMNS = 100

/** The colours of stdout. */
export function paletteOf({ color }: Pick<BlameOptions, 'color'>, session: Session): Promise<Palette> {
  return createPalette({ color, isTTY: session.stdout.isTerminal, env: session.environment })
}

/** How many columns a line may have. */
export function widthOf({ isTerminal }: Output): number {
  return (isTerminal && process.stdout.columns) || SCREEN_COLUMNS
}
