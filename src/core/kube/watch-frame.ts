import { DeckError } from '../lib/errors.ts'
import type { Status } from './protobuf-status.ts'

/** What a watch can follow: every object of etcd has both. */
export interface Watched {
  readonly uid: string
  readonly resourceVersion: string
}

/** One message of a watch. */
export type WatchFrame<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing has happened up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'ERROR'; readonly status: Partial<Status> }
  /** A message came whole and made no sense: something may be lost. */
  | { readonly type: 'UNREADABLE'; readonly detail: string }

/** A longer event is taken for a sign that the framing is lost; etcd holds objects of some megabytes at most. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024

/** Throws KUBE_PROTOCOL for an event of more bytes than any has. */
export function checkEventLength(bytes: number): void {
  if (bytes <= MAX_EVENT_BYTES) return
  throw new DeckError(
    'KUBE_PROTOCOL',
    `the API server sent a malformed watch: an event of ${bytes} bytes or more`,
    { hint: 'A proxy between here and the API server may cut or change answers.' },
  )
}

/** Cuts the body of a watch into messages; what the end of the stream leaves unfinished is never taken for one. */
export interface WatchParser<T> {
  /** Takes the next bytes and gives the messages that are now complete. */
  push(chunk: Uint8Array): WatchFrame<T>[]
  /** Whether a message has begun and not ended. */
  readonly unfinished: boolean
}

/** Names a message by its type and checks that its object can be followed. */
export function watchFrame<T extends Watched>(type: unknown, object: T): WatchFrame<T> {
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (object.uid && object.resourceVersion) return { type, object }
      return { type: 'UNREADABLE', detail: 'an event without uid or resourceVersion' }
    case 'BOOKMARK':
      if (object.resourceVersion) return { type, resourceVersion: object.resourceVersion }
      return { type: 'UNREADABLE', detail: 'a bookmark without resourceVersion' }
    default:
      return { type: 'UNREADABLE', detail: 'an event of a type that is not known' }
  }
}
