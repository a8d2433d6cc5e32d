import { connect } from '../../../core/kube/connect.ts'
import { loadConnection } from '../../../core/kube/kubeconfig.ts'
import { systemClock } from '../../../core/lib/time.ts'
import { connectionOverrides } from '../../shell/connection-flags.ts'
import { companionPorts } from './companion-ports.ts'

/** The references in use that the companion tells of, for completion; rejects where it cannot be asked. */
export async function imageReferences(
  flags: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const connection = await loadConnection(connectionOverrides(flags))
  const transport = connect(connection)
  const namespace = flags['all-namespaces'] === true ? undefined : connection.namespace
  try {
    const ports = companionPorts({ transport, connection, clock: systemClock, namespace })
    const { items } = await ports.listImages(signal)
    return items.map(({ image }) => image.reference).toSorted((a, b) => (a < b ? -1 : 1))
  } finally {
    transport.close()
  }
}
