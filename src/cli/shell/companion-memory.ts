import { mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { CompanionState } from '../../core/kube/companion.ts'
import type { ClusterConnection } from '../../core/kube/connection.ts'
import type { Clock } from '../../core/lib/time.ts'

/** How long a companion is believed to be there, and to be absent or down, in milliseconds. */
const FOUND_MS = 600_000
const MISSED_MS = 60_000

/** What was last found out about one cluster's companion, kept between runs. */
export interface CompanionMemory {
  /** Undefined where nothing is known, or for too long. */
  recall(): CompanionState | undefined
  /** Remembers; silently not where no file can be written. */
  keep(state: CompanionState): void
  forget(): void
}

/** What is written down; no secret. */
interface Entry {
  readonly state: CompanionState
  /** Epoch milliseconds. */
  readonly at: number
}

/**
 * The memory of a cluster's companion: a file of its own in `$XDG_CACHE_HOME/deckwatch`, or `~/.cache/deckwatch`. All
 * synchronous, since it stands at the start of every run, which has nothing else to do then.
 */
export function companionMemory(
  connection: Pick<ClusterConnection, 'server' | 'trust'>,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): CompanionMemory {
  const folder = cacheFolder(environment)
  if (folder === undefined) return { recall: () => undefined, keep: () => undefined, forget: () => undefined }
  const { server, trust } = connection
  const file = join(folder, `companion-${nameOf(JSON.stringify([server, trust]))}.json`)
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch {
      // A cache that cannot be read or written is none.
      return undefined
    }
  }
  return {
    recall() {
      const entry = attempt(() => JSON.parse(readFileSync(file, 'utf8')) as Entry)
      if (!entry || !isState(entry.state)) return undefined
      const age = clock.now() - entry.at
      // Of a clock that was set back nothing is known.
      return age >= 0 && age < (entry.state.state === 'found' ? FOUND_MS : MISSED_MS)
        ? entry.state
        : undefined
    },
    keep(state) {
      const entry: Entry = { state, at: clock.now() }
      // Beside the file first: another run never reads half of it.
      const draft = `${file}.${process.pid}`
      attempt(() => {
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        writeFileSync(draft, JSON.stringify(entry), { mode: 0o600 })
        renameSync(draft, file)
      })
    },
    forget() {
      attempt(() => unlinkSync(file))
    },
  }
}

/** Another version may have written the file. */
function isState(value: Partial<Record<string, unknown>> | undefined): boolean {
  switch (value?.['state']) {
    case 'found':
      return Array.isArray(value['resources'])
    case 'down':
      return typeof value['reason'] === 'string'
    default:
      return value?.['state'] === 'absent'
  }
}

function cacheFolder({
  XDG_CACHE_HOME: xdg,
  HOME,
  USERPROFILE,
}: Readonly<Record<string, string | undefined>>): string | undefined {
  // The XDG base directory specification: a path that is not absolute is to be ignored.
  if (xdg && isAbsolute(xdg)) return join(xdg, 'deckwatch')
  const home = HOME || USERPROFILE
  return home ? join(home, '.cache', 'deckwatch') : undefined
}

/**
 * 16 hexadecimal characters of a text (two FNV-1a hashes): different clusters get different names, and a clash would
 * cost one question. node:crypto takes longer to load than all else of a short run.
 */
function nameOf(text: string): string {
  const hash = (seed: number): string => {
    let value = seed
    for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
    return (value >>> 0).toString(16).padStart(8, '0')
  }
  return hash(0x811c9dc5) + hash(0x2166136b)
}
