import type { DeckCommandClass } from '../shell/deck-command.ts'

/** One command: the words after `kubectl` that name it, and its class, loaded only when it runs. */
export interface CatalogEntry {
  readonly words: readonly [string, ...string[]]
  readonly summary: string
  readonly load: () => Promise<DeckCommandClass>
}

/** Every command; a plugin's own command stands before its sub-commands. */
export const CATALOG: readonly CatalogEntry[] = [
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
]
