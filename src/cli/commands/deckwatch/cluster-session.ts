import { connect } from '../../../core/kube/connect.ts'
import type { ClusterConnection } from '../../../core/kube/connection.ts'
import { loadConnection } from '../../../core/kube/kubeconfig.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { ClusterPort } from '../../features/deckwatch/ports.ts'
import { Progress } from '../../render/progress.ts'
import { companionMemory } from '../../shell/companion-memory.ts'
import { connectionOverrides } from '../../shell/connection-flags.ts'
import type { Session } from '../../shell/session.ts'
import { VERSION } from '../../shell/version.ts'
import { createClusterPort } from './cluster-port.ts'

/** One cluster as the installation commands use it. */
export interface ClusterSession {
  readonly cluster: ClusterPort
  readonly connection: ClusterConnection
  readonly transport: KubeTransport
  readonly progress: Progress
}

/** Connects by a command's flags, and closes again when the work has ended. */
export async function withCluster<T>(
  flags: { readonly [name: string]: unknown },
  { stderr, clock, environment }: Session,
  work: (session: ClusterSession) => Promise<T>,
): Promise<T> {
  // --namespace is the companion's; the context's own namespace is kept beside it.
  const connection = await loadConnection({ ...connectionOverrides(flags), namespace: undefined })
  const transport = connect(connection, { userAgent: `deckwatch/${VERSION}` })
  const progress = new Progress({
    // Opened as a stream only when there is something to paint.
    stream: {
      isTTY: stderr.isTerminal,
      get columns() {
        return process.stderr.columns
      },
      write: (text) => process.stderr.write(text),
    },
    clock,
  })
  try {
    return await work({
      cluster: createClusterPort(transport, { identity: connection, clock }),
      connection,
      transport,
      progress,
    })
  } finally {
    progress.stop()
    transport.close()
    // What other commands remember of the companion may have been true before this one only.
    companionMemory(connection, environment, clock).forget()
  }
}

/** What a person calls the cluster: its context, or its address where there is none. */
export function clusterName({ contextName, server }: ClusterConnection): string {
  return contextName === '' ? server : `${contextName} (${server})`
}

/** An error with one more sentence about what has been done so far. */
export function withAfterword(error: unknown, afterword: string): unknown {
  if (!(error instanceof DeckError) || afterword === '') return error
  const hint = error.hint === undefined ? afterword : `${error.hint}\n${afterword}`
  return new DeckError(error.code, error.message, { hint, status: error.status, cause: error })
}
