import { type BodyWriter, type Fault } from './fake-fault.ts'
import type { FakeKind } from './fake-kinds.ts'
import type { FakeSelector } from './fake-selectors.ts'
import type { FakeEvent, FakeStore } from './fake-store.ts'
import { fakeStatus } from './fake-status.ts'
import { encodeWatchFrame, type Kinded } from './protobuf-encode.ts'

/** What one watch was asked for. */
export interface FakeWatchRequest {
  readonly kind: FakeKind
  readonly namespace: string | undefined
  readonly selects: FakeSelector
  readonly resourceVersion: number
  readonly bookmarks: boolean
  readonly protobuf: boolean
  readonly timeoutMs: number
}

/** One open watch. */
export class FakeWatch {
  readonly #store: FakeStore
  readonly #request: FakeWatchRequest
  readonly #writer: BodyWriter
  readonly #fault: Fault | undefined
  #stopListening: () => void = () => undefined
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(store: FakeStore, request: FakeWatchRequest, writer: BodyWriter, fault: Fault | undefined) {
    this.#store = store
    this.#request = request
    this.#writer = writer
    this.#fault = fault
  }

  /** Sends the history since the version asked for, then what happens. */
  start(): void {
    const { resourceVersion, protobuf, timeoutMs } = this.#request
    this.#writer.head(200, {
      'content-type': protobuf ? 'application/vnd.kubernetes.protobuf;stream=watch' : 'application/json',
    })
    if (this.#fault?.kind === 'error-event') {
      this.#send('ERROR', fakeStatus(this.#fault.status, this.#fault.reason, 'told by a fault'))
      this.end()
      return
    }
    if (this.#fault?.kind === 'garbage') this.#sendGarbage()
    const history = this.#store.since(resourceVersion)
    if (!history) {
      // The real one accepts the watch too and says so in its first event.
      this.#send('ERROR', fakeStatus(410, 'Expired', `too old resource version: ${resourceVersion}`))
      this.end()
      return
    }
    if (this.#fault?.kind === 'bookmark-only') {
      this.bookmark()
      this.end()
      return
    }
    for (const event of history) this.#tell(event)
    this.#stopListening = this.#store.listen((event) => this.#tell(event))
    this.#timer = setTimeout(() => this.end(), timeoutMs)
  }

  /** Says that nothing else has happened up to now. */
  bookmark(): void {
    if (!this.#request.bookmarks || this.#ended) return
    const { kind, apiVersion } = this.#request.kind
    this.#send('BOOKMARK', {
      kind,
      apiVersion,
      metadata: { resourceVersion: String(this.#store.version), creationTimestamp: null },
      ...(kind === 'Pod' ? { spec: { containers: null }, status: {} } : {}),
    })
  }

  /** Ends the watch as a server does whose timeout has come. */
  end(): void {
    if (this.#ended) return
    this.abandon()
    this.#writer.end()
  }

  /** The client has gone. */
  abandon(): void {
    this.#ended = true
    this.#stopListening()
    clearTimeout(this.#timer)
  }

  #tell(event: FakeEvent): void {
    const { kind, namespace, selects } = this.#request
    if (event.kind !== kind) return
    if (namespace !== undefined && event.object.metadata.namespace !== namespace) return
    // A change that moves an object into or out of a selection is told as its coming or going.
    const was = event.previous !== undefined && selects(event.previous)
    const is = event.type !== 'DELETED' && selects(event.object)
    if (!was && !is) return
    const type = was ? (is ? 'MODIFIED' : 'DELETED') : 'ADDED'
    this.#send(type, event.object)
    if (this.#fault?.kind === 'duplicates') this.#send(type, event.object)
  }

  #send(type: string, object: Kinded): void {
    const { protobuf } = this.#request
    this.#writer.write(
      protobuf ? encodeWatchFrame(type, object) : Buffer.from(`${JSON.stringify({ type, object })}\n`),
    )
  }

  #sendGarbage(): void {
    const protobuf = Buffer.from([0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0xff])
    this.#writer.write(
      this.#request.protobuf ? protobuf : Buffer.from('{"type":"ADDED","object":{"metadata"\n'),
    )
  }
}
