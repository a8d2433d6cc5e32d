import { KINDS as DEPLOYED, type Kind } from '../../../../server/deploy/kinds.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { StoredObject } from './stored-object.ts'

/** The kinds of object that an installation is made of, and those that tell how it does. */
export const KINDS = {
  ...DEPLOYED,
  Node: other('', 'v1', 'Node', 'nodes', false),
  Pod: other('', 'v1', 'Pod', 'pods'),
  Event: other('', 'v1', 'Event', 'events'),
  DaemonSet: other('apps', 'v1', 'DaemonSet', 'daemonsets'),
  StatefulSet: other('apps', 'v1', 'StatefulSet', 'statefulsets'),
  ReplicaSet: other('apps', 'v1', 'ReplicaSet', 'replicasets'),
  Job: other('batch', 'v1', 'Job', 'jobs'),
  CronJob: other('batch', 'v1', 'CronJob', 'cronjobs'),
  StorageClass: other('storage.k8s.io', 'v1', 'StorageClass', 'storageclasses', false),
} as const satisfies Readonly<Record<string, Kind>>

/** One object by its kind and name; without a namespace where its kind has none. */
export interface ObjectRef {
  readonly kind: Kind
  readonly namespace?: string | undefined
  readonly name: string
}

/** Names an object that was read, or is to be written. */
export function refOf({ apiVersion, kind, metadata }: StoredObject): ObjectRef {
  const known = Object.values<Kind>(KINDS).find(
    (path) => path.kind === kind && apiVersionOf(path) === apiVersion,
  )
  if (!known) throw new DeckError('INTERNAL', `no path is known for objects of ${apiVersion}, kind ${kind}`)
  return { kind: known, name: metadata.name, namespace: known.namespaced ? metadata.namespace : undefined }
}

/** `apps/v1`, as objects of the kind carry it. */
export function apiVersionOf({ group, version }: Kind): string {
  return group === '' ? version : `${group}/${version}`
}

/** `deployment.apps/deckwatch`, as kubectl names it. */
export function spokenName({ kind: { group, kind }, name }: ObjectRef): string {
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`
}

function other(group: string, version: string, kind: string, plural: string, namespaced = true): Kind {
  return { group, version, kind, plural, namespaced }
}
