import { DeckError } from '../lib/errors.ts'

/** The part of a list's own metadata that paging needs. */
export interface ListMetadata {
  readonly resourceVersion: string
  /** The token for the next page; empty on the last. */
  readonly continue: string
}

/** Turns the body of one page into items, as early as its encoding allows. */
export interface ListParser<T> {
  /** Known as soon as its bytes have come, in general before the first item. */
  readonly metadata: ListMetadata | undefined
  /** Takes the next bytes and gives the items that are now complete. */
  push(chunk: Uint8Array): T[]
  /** Says that the body has ended, gives what is left, and throws KUBE_PROTOCOL when the list is not whole. */
  finish(): T[]
}

/** The metadata of a list is looked for within this many bytes from its start; a continue token has some hundred. */
const MAX_HEAD_BYTES = 16 * 1024

/** Reads a JSON list: the metadata from its head, the items when it is whole. */
export class JsonListParser<T> implements ListParser<T> {
  readonly #fromJson: (value: unknown) => T
  readonly #chunks: Uint8Array[] = []
  #metadata: ListMetadata | undefined
  #headBytes = 0

  constructor(fromJson: (value: unknown) => T) {
    this.#fromJson = fromJson
  }

  get metadata(): ListMetadata | undefined {
    return this.#metadata
  }

  push(chunk: Uint8Array): T[] {
    this.#chunks.push(chunk)
    if (!this.#metadata && this.#headBytes < MAX_HEAD_BYTES) {
      this.#headBytes += chunk.length
      this.#metadata = metadataOfHead(Buffer.concat(this.#chunks).toString('latin1'))
    }
    return []
  }

  finish(): T[] {
    const text = Buffer.concat(this.#chunks).toString('utf8')
    this.#chunks.length = 0
    let list: { metadata?: Partial<ListMetadata>; items?: unknown }
    try {
      list = JSON.parse(text) as typeof list
    } catch (error) {
      throw notAList('the answer is not whole JSON', error)
    }
    // A Go server writes an empty list of some types as null.
    if (list === null || typeof list !== 'object' || !(Array.isArray(list.items) || list.items === null)) {
      throw notAList('the answer is JSON but no list')
    }
    this.#metadata = {
      resourceVersion: list.metadata?.resourceVersion ?? '',
      continue: list.metadata?.continue ?? '',
    }
    return (list.items ?? []).map((item: unknown) => this.#fromJson(item))
  }
}

/** The API server writes metadata before items, so that the head of the text up to them can be closed and parsed. */
function metadataOfHead(head: string): ListMetadata | undefined {
  const items = head.indexOf('"items":[')
  if (items < 0) return undefined
  try {
    const list = JSON.parse(`${head.slice(0, items)}"items":[]}`) as { metadata?: Partial<ListMetadata> }
    return (
      list.metadata && {
        resourceVersion: list.metadata.resourceVersion ?? '',
        continue: list.metadata.continue ?? '',
      }
    )
  } catch {
    return undefined
  }
}

function notAList(detail: string, cause?: unknown): DeckError {
  return new DeckError('KUBE_PROTOCOL', `the API server sent no list: ${detail}`, {
    hint: 'A proxy between here and the API server may cut or change answers.',
    cause,
  })
}
