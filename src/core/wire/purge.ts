/** The ConfigMap, in the companion's namespace, by which values are asked to be taken out of the history: who may patch it may purge. */
export const PURGE_CONFIG_MAP = 'deckwatch-purge'

/** What is to be taken out of the history. */
export interface PurgeTarget {
  readonly group: string
  /** Plural, lower case. */
  readonly resource: string
  /** Empty for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
  /** Values at this path and below; left out: the whole history of the object. Grammar in core/model/field-path. */
  readonly path?: string
}

/** What stands under `request` in the ConfigMap, as JSON. */
export interface PurgeRequest {
  /** Of this request alone. */
  readonly id: string
  /** RFC 3339 UTC: when it was asked. */
  readonly time: string
  readonly target: PurgeTarget
}

/** What stands under `answer` in the ConfigMap, as JSON, once the companion has done it or refused. */
export type PurgeAnswer = {
  /** Of the request. */
  readonly id: string
} & (
  | {
      readonly done: true
      /** From how many changes something was taken. */
      readonly changes: number
      /** Of several replicas: how many were away, and do their part when they are back. */
      readonly away?: number
      /** What could not be overwritten, in one clause. */
      readonly remains?: string
    }
  | {
      readonly done: false
      /** Why not, one clause. */
      readonly reason: string
    }
)
