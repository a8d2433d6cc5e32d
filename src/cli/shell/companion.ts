import { probeCompanion, type CompanionState } from '../../core/kube/companion.ts'
import type { ClusterConnection } from '../../core/kube/connection.ts'
import type { KubeTransport } from '../../core/kube/transport.ts'
import { DeckError } from '../../core/lib/errors.ts'
import type { Clock } from '../../core/lib/time.ts'
import type { CompanionMemory } from './companion-memory.ts'

/** How `--companion` may be set, apart from `never`. */
export type CompanionMode = 'auto' | 'require'

/** What an installation has where nothing is said of components. */
const INSTALLED = 'image-graph'

/** How long a run waits to learn whether there is a companion, in milliseconds. */
const PROBE_MS = 300

/** What the search for a companion stands on. */
export interface CompanionSearch {
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly memory: CompanionMemory
  readonly clock: Clock
  /** Ends with the command: an answer that comes late is still remembered until then. */
  readonly signal: AbortSignal
}

/** What the search came to; `note` is a line for stderr where the cluster has a companion that cannot be asked. */
export type CompanionFinding =
  { readonly found: true } | { readonly found: false; readonly note?: string | undefined }

/** The plural of what a component serves, and the component's name, for who must install it. */
export interface CompanionNeed {
  readonly resource: string
  readonly component: string
}

/**
 * Looks for a companion that serves a resource, with `auto` for no longer than `waitMs`; with `require` a DeckError
 * COMPANION_ABSENT says why there is none.
 */
export async function findCompanion(
  search: CompanionSearch,
  need: CompanionNeed,
  mode: CompanionMode,
  waitMs = PROBE_MS,
): Promise<CompanionFinding> {
  const known = search.memory.recall()
  if (mode === 'auto') return findingOf(known ?? (await askWithin(search, waitMs)), need)
  // Who requires it may just have installed it.
  const state =
    known?.state === 'found' && known.resources.includes(need.resource) ? known : await ask(search)
  if (state.state !== 'found' || !state.resources.includes(need.resource)) throw absent(state, need, search)
  return { found: true }
}

function findingOf(state: CompanionState | undefined, { resource }: CompanionNeed): CompanionFinding {
  switch (state?.state) {
    case 'found':
      return state.resources.includes(resource) ? { found: true } : { found: false }
    case 'down':
      return { found: false, note: `the companion does not answer: ${state.reason}` }
    case 'absent':
    case undefined:
      return { found: false }
  }
}

async function ask({ transport, connection, memory, signal }: CompanionSearch): Promise<CompanionState> {
  const state = await probeCompanion(transport, connection, signal)
  memory.keep(state)
  return state
}

/** Undefined where no answer came in time, or none that says anything: the question proper then tells what is wrong. */
async function askWithin(search: CompanionSearch, ms: number): Promise<CompanionState | undefined> {
  const answer = ask(search).catch((error: unknown) => {
    // Nobody is sent to log in twice.
    if (error instanceof DeckError && error.code === 'CREDENTIAL_PLUGIN') throw error
    if (error instanceof DeckError || search.signal.aborted) return undefined
    throw error
  })
  // It may fail when nobody waits for it any more; the question proper then fails by the same.
  answer.catch(() => undefined)
  const waited = new AbortController()
  const deadline = search.clock
    .sleep(ms, AbortSignal.any([waited.signal, search.signal]))
    .catch(() => undefined)
  try {
    // The question goes on past the deadline: a login that it began serves the next request too.
    return await Promise.race([answer, deadline.then(() => undefined)])
  } finally {
    waited.abort()
  }
}

function absent(
  state: CompanionState,
  { resource, component }: CompanionNeed,
  { connection }: CompanionSearch,
): DeckError {
  switch (state.state) {
    case 'absent':
      return new DeckError(
        'COMPANION_ABSENT',
        `the cluster at ${connection.server} has no companion, which alone could answer this`,
        {
          hint: `Bring it into the cluster: kubectl deckwatch install${component === INSTALLED ? '' : ` --components ${component}`}`,
        },
      )
    case 'down':
      return new DeckError('COMPANION_ABSENT', `the companion does not answer: ${state.reason}`, {
        hint: 'What is wrong with it: kubectl deckwatch status',
      })
    case 'found':
      return new DeckError('COMPANION_ABSENT', `the companion of this cluster serves no ${resource}`, {
        hint: `Add the component to it: kubectl deckwatch install --components all`,
      })
  }
}
