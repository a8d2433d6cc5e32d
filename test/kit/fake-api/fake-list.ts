import type { FakeRequest } from './fake-faults.ts'
import type { FakeTarget } from './fake-kinds.ts'
import { fieldSelector, labelSelector } from './fake-selectors.ts'
import type { FakeObject, FakeStore } from './fake-store.ts'
import type { Kinded } from './protobuf-encode.ts'

/** One page of a list. */
interface ListPage {
  readonly version: number
  readonly objects: readonly FakeObject[]
  /** Of the kept list that this page is a part of. */
  readonly id?: string
}

/** Where a list goes on. */
interface ContinueToken {
  /** Of the kept list; empty for one that goes on at the present. */
  readonly id: string
  readonly after: string
}

/** A list that can only go on inconsistently; with a token where the server offers to. */
export interface ExpiredList {
  readonly goesOnWith: string
}

/** Answers a list request by what the store has, or had when the first page was asked for. */
export function fakeList(store: FakeStore, target: FakeTarget, request: FakeRequest): Kinded | ExpiredList {
  const limit = Number(request.query.get('limit') ?? '0')
  const token = tokenOf(request.query.get('continue'))
  const page = token.id === '' ? freshPage(store, target, request, token.after) : keptPage(store, token)
  if (!page) return { goesOnWith: tokenText({ id: '', after: token.after }) }
  const items = limit > 0 ? page.objects.slice(0, limit) : page.objects
  const last = items.at(-1)
  const remaining = page.objects.length - items.length
  const paging =
    remaining > 0 && last
      ? {
          continue: tokenText({ id: page.id ?? store.keep(page), after: keyOf(last) }),
          remainingItemCount: remaining,
        }
      : {}
  return {
    kind: `${target.kind.kind}List`,
    apiVersion: target.kind.apiVersion,
    metadata: { resourceVersion: String(page.version), ...paging },
    // In a list the items have no kind of their own.
    items: items.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item),
  }
}

/** What the selectors of a request choose. */
export function selectorOf(request: FakeRequest): (object: FakeObject) => boolean {
  const labels = labelSelector(request.query.get('labelSelector') ?? '')
  const fields = fieldSelector(request.query.get('fieldSelector') ?? '')
  return (object) => labels(object) && fields(object)
}

function freshPage(store: FakeStore, target: FakeTarget, request: FakeRequest, after: string): ListPage {
  const selects = selectorOf(request)
  const objects = store
    .list(target.kind, target.namespace)
    .filter((object) => selects(object) && keyOf(object) > after)
  return { version: store.version, objects }
}

function keptPage(store: FakeStore, token: ContinueToken): ListPage | undefined {
  const kept = store.kept(token.id)
  if (!kept) return undefined
  const objects = kept.objects.filter((object) => keyOf(object) > token.after)
  return { version: kept.version, objects, id: token.id }
}

function tokenText(token: ContinueToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

/** The token of a request; a list without one begins before the first key. */
function tokenOf(text: string | null): ContinueToken {
  return text
    ? (JSON.parse(Buffer.from(text, 'base64url').toString()) as ContinueToken)
    : { id: '', after: '' }
}

/** The order of a list is that of etcd's keys. */
function keyOf(object: FakeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}
