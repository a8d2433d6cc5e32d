/** When to colour: `auto` asks the environment and whether the output is a terminal. */
export type ColorMode = 'auto' | 'always' | 'never'

/** What a colour means; views name meanings and never colours. */
export type Style = 'good' | 'bad' | 'warn' | 'faint' | 'heading' | 'key'

/** Wraps text in the escape sequences of a meaning, or leaves it as it is where colour is off. */
export type Palette = { readonly [style in Style]: (text: string) => string } & {
  readonly colored: boolean
  /** Colours without a meaning, to tell things apart; take them in turn, beginning again after the last. */
  readonly series: readonly [(text: string) => string, ...((text: string) => string)[]]
}

/** What decides on colour for one output stream. */
export interface PaletteOptions {
  readonly color: ColorMode
  readonly isTTY: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

const same = (text: string): string => text

/** The palette without colour. */
export const plainPalette: Palette = {
  colored: false,
  good: same,
  bad: same,
  warn: same,
  faint: same,
  heading: same,
  key: same,
  series: [same],
}

/**
 * Whether to colour: `--color` first, then NO_COLOR (https://no-color.org), then FORCE_COLOR and CLICOLOR_FORCE, then
 * a terminal that is not `dumb`. An empty variable counts as unset.
 */
export function wantsColor({ color, isTTY, env }: PaletteOptions): boolean {
  if (color !== 'auto') return color === 'always'
  if (env['NO_COLOR']) return false
  const force = env['FORCE_COLOR']
  if (force) return force !== '0' && force !== 'false'
  const cliForce = env['CLICOLOR_FORCE']
  if (cliForce && cliForce !== '0') return true
  return isTTY && env['TERM'] !== 'dumb' && env['CLICOLOR'] !== '0'
}

/** The palette for one output stream; chalk is loaded only where colour is on. */
export async function createPalette(options: PaletteOptions): Promise<Palette> {
  if (!wantsColor(options)) return plainPalette
  const { Chalk } = await import('chalk')
  // The level is ours to give: chalk reads FORCE_COLOR and the terminal, but not NO_COLOR. The 16 colours of level 1
  // follow the user's own theme.
  const chalk = new Chalk({ level: 1 })
  return {
    colored: true,
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    warn: (text) => chalk.yellow(text),
    faint: (text) => chalk.dim(text),
    heading: (text) => chalk.bold(text),
    key: (text) => chalk.cyan(text),
    series: [
      (text) => chalk.cyan(text),
      (text) => chalk.magenta(text),
      (text) => chalk.yellow(text),
      (text) => chalk.blue(text),
      (text) => chalk.green(text),
      (text) => chalk.cyanBright(text),
      (text) => chalk.magentaBright(text),
      (text) => chalk.yellowBright(text),
      (text) => chalk.blueBright(text),
      (text) => chalk.greenBright(text),
    ],
  }
}
