import type { ServerResponse } from 'node:http'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import type { ApiError } from './api-error.ts'
import type { EventCache } from './event-cache.ts'
import type { Form } from './negotiate.ts'
import { bookmarkText, eventObjectText } from './representation.ts'
import type { ServedObject, ServedResource, WatchNotice } from './resource.ts'
import { selects, type Selection } from './selectors.ts'
import { apiErrorOf, failureStatus } from './status.ts'
import type { UnsentStream } from './unsent-bytes.ts'

/** What one watch was asked for. */
export interface WatchRequest {
  readonly resource: ServedResource
  readonly selection: Selection
  readonly form: Form
  /** Whether bookmarks were asked for; a client that did not would take them for objects. */
  readonly bookmarks: boolean
  /** Whether the end of what was there at the beginning is to be marked. */
  readonly markInitialEnd: boolean
  /** After so long it is ended, in milliseconds. */
  readonly lifeMs: number
  /** Where what waits for the client is counted, together with what waits for others. */
  readonly unsent: Pick<UnsentStream, 'hold' | 'settle'>
}

/** What all watches of a server share. */
export interface WatchContext {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly cache: EventCache
  /** The open ones: looked at each second by one timer for all. */
  readonly open: Set<WatchStream>
  readonly onSlow: (resource: ServedResource) => void
}

/** What may wait for a client at most, in bytes. */
const SEND_BUFFER = 1024 * 1024
/** A client that did not take the buffer's content for so long is too slow: it may come back and go on. */
const STALL_MS = 5000
/** So long a client may take for the rest after the end, which is memory until then. */
const LINGER_MS = 5000
/** A reader may tell more often how far it is. */
const BOOKMARK_MS = 50_000

/**
 * One open watch: takes notices from the reader as fast as the client takes events from us. A thousand of them wait for
 * most of their lives, so each has no timers of its own and keeps nothing of its request that it does not need.
 */
export class WatchStream {
  readonly #request: WatchRequest
  readonly #response: ServerResponse
  readonly #context: WatchContext
  readonly #controller: AbortController
  readonly #endsAt: number
  #bookmarkedAt = 0
  #stalledAt: number | undefined
  #endedAt: number | undefined
  /** Set while enough waits for the client, or for all clients together: resolves when this one has taken it. */
  #flushed: Promise<void> | undefined
  /** Whether the next event is the stream's first. */
  #first = true

  /** The controller's signal is what the reader is asked with. */
  constructor(
    request: WatchRequest,
    response: ServerResponse,
    controller: AbortController,
    context: WatchContext,
  ) {
    this.#request = request
    this.#response = response
    this.#controller = controller
    this.#context = context
    this.#endsAt = context.clock.now() + request.lifeMs
  }

  /** Follows the reader until it, the client or somebody here ends the watch; never rejects. */
  async follow(notices: AsyncIterable<WatchNotice>): Promise<void> {
    const { open, log } = this.#context
    if (this.#response.destroyed) return
    open.add(this)
    const { req: request } = this.#response
    request.headers = {}
    request.rawHeaders = []
    try {
      // The client must see at once that the watch stands, even if nothing happens for long.
      this.#response.flushHeaders()
      for await (const notice of notices) {
        if (this.#endedAt !== undefined) break
        this.#tell(notice)
        if (this.#flushed) await this.#drained(this.#flushed)
      }
      this.end()
    } catch (error) {
      if (this.#endedAt !== undefined || this.#response.destroyed) return
      const reason = apiErrorOf(error)
      if (reason.reason === 'InternalError') {
        log.error({ err: error, resource: this.#request.resource.plural }, 'a watch failed')
      }
      this.end(reason)
    }
  }

  /** The client has gone, or has had everything. */
  closed(): void {
    this.#context.open.delete(this)
  }

  /** Ends the watch whose right has ended; where that could not be found out, the client is free to ask again. */
  withdraw(reason: ApiError): void {
    this.end(reason.reason === 'ServiceUnavailable' ? undefined : reason)
  }

  /** Ends the answer as a whole one, after an ERROR event where a reason is given. */
  end(reason?: ApiError): void {
    if (this.#endedAt !== undefined) return
    this.#endedAt = this.#context.clock.now()
    // Clients react to an error only when the stream ends after it.
    if (reason) this.#response.write(`{"type":"ERROR","object":${JSON.stringify(failureStatus(reason))}}\n`)
    this.#response.end()
    this.#controller.abort()
  }

  /** Ends what has lived long enough, and who does not read. */
  tick(now: number): void {
    this.#request.unsent.settle()
    if (this.#endedAt !== undefined) {
      if (now - this.#endedAt > LINGER_MS) this.#response.destroy()
    } else if (this.#stalledAt !== undefined && now - this.#stalledAt > STALL_MS) {
      this.#context.onSlow(this.#request.resource)
      this.end()
    } else if (now >= this.#endsAt) this.end()
  }

  #drained(flushed: Promise<void>): Promise<void> {
    this.#stalledAt = this.#context.clock.now()
    return new Promise((resolve) => {
      const go = (): void => {
        this.#stalledAt = undefined
        this.#flushed = undefined
        this.#request.unsent.settle()
        this.#response.off('close', go)
        this.#controller.signal.removeEventListener('abort', go)
        resolve()
      }
      void flushed.then(go)
      this.#response.once('close', go)
      this.#controller.signal.addEventListener('abort', go, { once: true })
    })
  }

  #tell(notice: WatchNotice): void {
    const { resource, selection } = this.#request
    switch (notice.type) {
      case 'ADDED':
      case 'DELETED':
        if (selects(selection, notice.object, resource)) this.#event(notice.type, notice.object)
        break
      case 'MODIFIED': {
        const is = selects(selection, notice.object, resource)
        const was = notice.previous ? selects(selection, notice.previous, resource) : is
        if (is) this.#event(was ? 'MODIFIED' : 'ADDED', notice.object)
        else if (was && notice.previous) this.#event('DELETED', leaving(notice.previous, notice.object))
        break
      }
      case 'BOOKMARK':
        this.#bookmark(notice.resourceVersion, notice.initialEnd)
        break
      default:
        notice satisfies never
    }
  }

  #event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: ServedObject): void {
    const { resource, form } = this.#request
    const now = this.#context.clock.now()
    const make = (first: boolean) => (): string =>
      `{"type":"${type}","object":${eventObjectText(resource, object, form, { now, first })}}\n`
    if (this.#first && form.kind === 'table') this.#write(make(true)())
    else this.#write(this.#context.cache.bytes(object, `${type} ${formKey(form)}`, now, make(false)))
    this.#first = false
  }

  #bookmark(resourceVersion: string, initialEnd: boolean): void {
    const { resource, form, bookmarks, markInitialEnd } = this.#request
    const now = this.#context.clock.now()
    const marks = initialEnd && markInitialEnd
    if (!bookmarks || (!marks && now - this.#bookmarkedAt < BOOKMARK_MS)) return
    this.#bookmarkedAt = now
    const text = bookmarkText(resource, resourceVersion, form, { initialEnd: marks, first: this.#first })
    this.#write(`{"type":"BOOKMARK","object":${text}}\n`)
    this.#first = false
  }

  #write(event: string | Buffer): void {
    const bytes = Buffer.byteLength(event)
    const fits = this.#request.unsent.hold(bytes)
    if (fits && this.#response.writableLength + bytes <= SEND_BUFFER) {
      this.#response.write(event)
      return
    }
    this.#flushed = new Promise((resolve) => {
      this.#response.write(event, () => resolve())
    })
  }
}

function formKey(form: Form): string {
  switch (form.kind) {
    case 'object':
      return 'object'
    case 'metadata':
      return `metadata ${form.version}`
    case 'table':
      return `table ${form.version} ${form.includeObject}`
    default:
      return form satisfies never
  }
}

/** An object that no longer is selected, as it last was, with the number of the change that took it away. */
function leaving(previous: ServedObject, object: ServedObject): ServedObject {
  const { resourceVersion } = object.metadata
  return { ...previous, metadata: { ...previous.metadata, resourceVersion } }
}
