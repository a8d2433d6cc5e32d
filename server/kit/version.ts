/** The companion's version; the bundler writes it in place of the variable, which is unset when run from source. */
export const VERSION = process.env.DECKWATCH_VERSION ?? 'development'
