import type { DeckCommandClass } from '../shell/deck-command.ts'

/** One command: the words after `kubectl` that name it, and its class, loaded only when it runs. */
export interface CatalogEntry {
  readonly words: readonly [string, ...string[]]
  readonly summary: string
  readonly load: () => Promise<DeckCommandClass>
}

/** The plugin whose commands have no plugin of their own: `kubectl deckwatch install`. */
export const DECKWATCH = 'deckwatch'

/** Every command; a plugin's own command stands before its sub-commands. */
export const CATALOG: readonly CatalogEntry[] = [
  {
    words: ['blame'],
    summary: 'who changed what of an object, and when',
    load: async () => (await import('./blame/index.ts')).BlameCommand,
  },
  {
    words: ['blame', 'undo'],
    summary: 'take one recorded change back',
    load: async () => (await import('./blame/undo.ts')).BlameUndoCommand,
  },
  {
    words: ['images'],
    summary: 'which images run where, and the stream of images that come and go',
    load: async () => (await import('./images/index.ts')).ImagesCommand,
  },
  {
    words: ['images', 'check'],
    summary: 'which images can no longer be pulled (not in this version yet)',
    load: async () => (await import('./images/check.ts')).ImagesCheckCommand,
  },
  {
    words: ['images', 'history'],
    summary: 'when an image came into use and went out of it, and with which pod',
    load: async () => (await import('./images/history.ts')).ImagesHistoryCommand,
  },
  {
    words: [DECKWATCH, 'install'],
    summary: 'bring the companion into the cluster, or upgrade it in place',
    load: async () => (await import('./deckwatch/install.ts')).InstallCommand,
  },
  {
    words: [DECKWATCH, 'purge'],
    summary: 'take values out of the recorded history',
    load: async () => (await import('./deckwatch/purge.ts')).PurgeCommand,
  },
  {
    words: [DECKWATCH, 'status'],
    summary: 'what of the companion is healthy, and how to mend what is not',
    load: async () => (await import('./deckwatch/status.ts')).StatusCommand,
  },
  {
    words: [DECKWATCH, 'uninstall'],
    summary: 'take the companion away, with all that it made',
    load: async () => (await import('./deckwatch/uninstall.ts')).UninstallCommand,
  },
]

/** The words that follow `kubectl deckwatch`, which leads to the commands of every plugin. */
export function wordsInDeckwatch({ words }: CatalogEntry): readonly string[] {
  return words[0] === DECKWATCH ? words.slice(1) : words
}
