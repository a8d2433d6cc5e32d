import { qualifiedName } from '../../../core/kube/api-resource.ts'
import { connect } from '../../../core/kube/connect.ts'
import type { ClusterConnection } from '../../../core/kube/connection.ts'
import { loadConnection } from '../../../core/kube/kubeconfig.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { systemClock } from '../../../core/lib/time.ts'
import { ApiTypes } from '../../shell/api-types.ts'
import { blameConnectionOverrides } from './connection-overrides.ts'
import { changesPorts } from './changes-ports.ts'
import { objectPorts } from './object-ports.ts'

/** No person reads more candidates. */
const MOST = 500

/** What the flags before the word say of the cluster. */
type Given = Readonly<Record<string, unknown>>

interface Asked {
  readonly connection: ClusterConnection
  readonly transport: KubeTransport
  readonly types: ApiTypes
}

/**
 * Candidates for a word of `kubectl blame`: types, for the first word; `TYPE/NAME` where a type stands before a slash;
 * names of objects behind a type. Rejects where the cluster cannot be asked.
 */
export async function blameWords(
  flags: Given,
  spoken: readonly string[],
  typed: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return asking(flags, signal, async (asked) => {
    const slash = typed.indexOf('/')
    if (slash > 0) {
      const type = typed.slice(0, slash)
      return (await objectNames(asked, type, signal)).map((name) => `${type}/${name}`)
    }
    const [type] = spoken
    if (type !== undefined) return type.includes('/') ? [] : objectNames(asked, type, signal)
    const byName = Map.groupBy(await asked.types.all(), ({ resource }) => resource)
    return [...byName].flatMap(([name, types]) => {
      // The name alone means the first group in the order of discovery.
      const others = types.filter(({ group }) => group !== types[0]?.group)
      return [name, ...new Set(others.map(qualifiedName))]
    })
  })
}

/** Names of the newest recorded changes in the namespace, for `kubectl blame undo`. */
export function changeNames(flags: Given, signal: AbortSignal): Promise<readonly string[]> {
  return asking(flags, signal, async ({ connection, transport }) => {
    const ports = changesPorts({ transport, connection, clock: systemClock })
    const all = { fields: [], since: undefined, until: undefined, perObject: undefined }
    for await (const { changes } of ports.listChanges({ ...all, namespace: connection.namespace }, signal)) {
      return changes.map(
        ({ metadata, object, operation }) =>
          `${metadata?.name}\t${operation.toLowerCase()} of ${object.kind.toLowerCase()}/${object.name}`,
      )
    }
    return []
  })
}

async function objectNames(
  { types, transport, connection }: Asked,
  word: string,
  signal: AbortSignal,
): Promise<string[]> {
  const type = await types.find(word)
  const ports = objectPorts({ transport, connection, clock: systemClock })
  const names: string[] = []
  const all = { label: undefined, field: undefined }
  for await (const objects of ports.listObjects(type, connection.namespace, all, signal)) {
    names.push(...objects.map(({ metadata }) => metadata?.name ?? ''))
    if (names.length >= MOST) break
  }
  return names
}

async function asking<Result>(
  flags: Given,
  signal: AbortSignal,
  ask: (asked: Asked) => Promise<Result>,
): Promise<Result> {
  const connection = await loadConnection(blameConnectionOverrides(flags))
  const transport = connect(connection)
  try {
    const stands = { transport, connection, environment: process.env, clock: systemClock, signal }
    return await ask({ connection, transport, types: new ApiTypes(stands) })
  } finally {
    transport.close()
  }
}
