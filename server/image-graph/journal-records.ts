import type { ContainerType } from '../../src/core/wire/pod.ts'

/** An image came into use in a namespace or went out of use there; where `cluster` is set, in the whole cluster too. */
export interface JournalEvent {
  /** Its place in the journal, and the resourceVersion of whatever it is told by. */
  readonly number: number
  readonly op: '+' | '-'
  readonly image: string
  readonly namespace: string
  /** Empty where the namespace was gone before its uid could be asked for. */
  readonly namespaceUid: string
  readonly pod: string
  readonly podUid: string
  /** Epoch milliseconds. */
  readonly time: number
  readonly late: boolean
  readonly cluster: boolean
}

/** A pod as the last run knew it: enough to tell what its end means. */
export interface KnownPod {
  readonly uid: string
  readonly namespace: string
  readonly namespaceUid: string
  readonly name: string
  readonly edges: readonly { readonly type: ContainerType; readonly name: string; readonly image: string }[]
}

/** Which image in which namespace is meant; the whole cluster's has neither namespace nor uid. */
export interface ImageIdentity {
  readonly namespace: string
  readonly namespaceUid: string
  readonly reference: string
}

/** What outlives a restart of the object of an image in use. */
export interface KeptImage extends ImageIdentity {
  /** The number of the event that brought it into use. */
  readonly added: number
  /** Its resourceVersion. */
  readonly number: number
  /** Digest of what the object says, by which a change is seen. */
  readonly content: string
  /** When it came into use, and with which pod. */
  readonly change: Pick<JournalEvent, 'time' | 'namespace' | 'pod' | 'podUid' | 'late'>
}
