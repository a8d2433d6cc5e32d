import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { ClusterConnection } from '../../core/kube/connection.ts'

/** A JSON value about one cluster in a file of its own, kept between runs; what cannot be read or written is not there. */
export interface ClusterCache {
  read(): unknown
  write(value: unknown): void
  remove(): void
}

/** Files of clusters that were not asked for so long are dropped, in milliseconds. */
const UNUSED_MS = 30 * 24 * 60 * 60 * 1000

/** Files of this folder that are of one cluster, and drafts that a killed run left. */
const OWN_FILE = /^(?:companion|types)-[0-9a-f]{16}\.json(?:\.\d+)?$/

/**
 * The file `TOPIC-CLUSTER.json` in `$XDG_CACHE_HOME/deckwatch`, or `~/.cache/deckwatch`. All synchronous, since it
 * stands at the start of a run, which has nothing else to do then.
 */
export function clusterCache(
  topic: string,
  { server, trust }: Pick<ClusterConnection, 'server' | 'trust'>,
  environment: Readonly<Record<string, string | undefined>>,
): ClusterCache {
  const folder = cacheFolder(environment)
  if (folder === undefined) return { read: () => undefined, write: () => undefined, remove: () => undefined }
  const file = join(folder, `${topic}-${nameOf(JSON.stringify([server, trust]))}.json`)
  return {
    read: () => attempt(() => JSON.parse(readFileSync(file, 'utf8')) as unknown),
    write(value) {
      // Beside the file first: another run never reads half of it.
      const draft = `${file}.${process.pid}`
      attempt(() => {
        // Clusters come and go. Only with a new one's first file, so that others do not pay for it.
        const isNew = statSync(file, { throwIfNoEntry: false }) === undefined
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        writeFileSync(draft, JSON.stringify(value), { mode: 0o600 })
        renameSync(draft, file)
        if (isNew) dropUnused(folder)
      })
    },
    remove() {
      attempt(() => unlinkSync(file))
    },
  }
}

/** By the machine's own clock, as the files' times are. */
function dropUnused(folder: string): void {
  const oldest = Date.now() - UNUSED_MS
  for (const name of readdirSync(folder)) {
    if (!OWN_FILE.test(name)) continue
    const path = join(folder, name)
    attempt(() => {
      if (statSync(path).mtimeMs < oldest) unlinkSync(path)
    })
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    // A cache that cannot be read or written is none.
    return undefined
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
