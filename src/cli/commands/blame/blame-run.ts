import type { ClusterConnection } from '../../../core/kube/connection.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import type { DeckError } from '../../../core/lib/errors.ts'
import type { Change, ChangeListExtra } from '../../../core/wire/change.ts'
import type { ApiTypes } from '../../shell/api-types.ts'
import type { Session } from '../../shell/session.ts'
import type { ChangesWay } from './changes-way.ts'
import type { BlameOptions } from './options.ts'
import type { Target } from './targets.ts'

/** What one run of `kubectl blame` at a cluster stands on. */
export interface BlameRun {
  readonly options: BlameOptions
  /** Empty: the overview. */
  readonly targets: readonly Target[]
  /** Where the overview looks; undefined for the whole cluster. */
  readonly scope: string | undefined
  readonly selectors: { readonly label: string | undefined; readonly field: string | undefined }
  /** Where a type is looked for that the server turns out not to serve as it is known. */
  readonly types: Pick<ApiTypes, 'findAtServer'>
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly session: Session
  /** Ends with the command. */
  readonly signal: AbortSignal
}

/** Changes to be shown, the newest first, and what is to be said of them. */
export interface Answer {
  readonly changes: readonly Change[]
  /** `recordingSince` is empty where managedFields told them. */
  readonly extra: Pick<ChangeListExtra, 'recordingSince' | 'gaps' | 'kept'>
  /** There is no such object, and none is recorded: a screen would say less than the hints. */
  readonly nothing: boolean
  /** One line each for stderr, after the changes. */
  readonly hints: readonly string[]
  /** Objects that were named and could not be read. */
  readonly failures: readonly DeckError[]
  /** By which they were found; undefined for managedFields. */
  readonly way: ChangesWay | undefined
  /** Where a watch goes on; undefined where there was more than one list. */
  readonly resourceVersion: string | undefined
}
