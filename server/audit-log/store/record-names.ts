import type { ChangeUser } from '../../../src/core/wire/change.ts'
import type { ChangeRecord, KnownObject } from './audit-store.ts'
import { TERM_CLASSES } from './audit-tables.ts'
import { pathSetOf } from './change-detail.ts'
import type { Interned } from './interned.ts'

/** More sets of paths are not shared: they would be of objects that somebody makes up. */
const MOST_PATH_SETS = 5000
const UNSEEN = { resource_version: null, content_hash: '', body: null, gone: 0 } as const
/** A writer whose journal was not taken over from yet. */
export const NO_POSITION = { segment: 0, byte_offset: 0, seq: -1 } as const

/** Ids of the rows that an object names. */
interface ObjectNames {
  readonly namespace: number
  readonly kind: number
  readonly timeline: number
  readonly object: number
}

/** Ids of the rows that a change names; 0 where it has none. */
export interface RecordNames extends ObjectNames {
  readonly username: number
  readonly account: number
  readonly paths: number
  readonly via: number
}

/** Finds or makes the rows that changes name, in their order. */
export async function nameRecords(
  interned: Interned,
  records: readonly ChangeRecord[],
): Promise<RecordNames[]> {
  const objects = await nameObjects(
    interned,
    records.map(({ object }) => object),
  )
  const users = records.map(({ user }) => user)
  const usernames = await termIds(
    interned,
    'username',
    users.map((user) => user?.username ?? ''),
  )
  const accounts = await termIds(
    interned,
    'account',
    users.map((user) => (user ? accountText(user) : '')),
  )
  const paths = await termIds(interned, 'paths', await pathSets(interned, records))
  const vias = await interned.ids(
    'via',
    records.map(({ via: { manager, tool, manual } }) => ({ manager, tool, manual: Number(manual) })),
  )
  return objects.map((names, i) => ({
    ...names,
    username: usernames[i] ?? 0,
    account: accounts[i] ?? 0,
    paths: paths[i] ?? 0,
    via: vias[i] ?? 0,
  }))
}

/** Finds or makes the rows that objects name, in their order. */
export async function nameObjects(
  interned: Interned,
  objects: readonly (KnownObject['object'] & { readonly subresource: string })[],
): Promise<ObjectNames[]> {
  const namespaces = await interned.ids(
    'namespace',
    objects.map(({ namespace, namespaceUid }) => ({ name: namespace, uid: namespaceUid })),
  )
  const resources = await interned.ids(
    'resource',
    objects.map(({ group, resource }) => ({ api_group: group, plural: resource })),
  )
  const kindsOf = (subresource: (i: number) => string) =>
    interned.ids(
      'kind',
      objects.map(({ version, kind }, i) => ({
        resource: resources[i] ?? 0,
        version,
        kind,
        subresource: subresource(i),
      })),
    )
  const kinds = await kindsOf((i) => objects[i]?.subresource ?? '')
  const plain = await kindsOf(() => '')
  const timelines = await interned.ids(
    'timeline',
    objects.map(({ name }, i) => ({ resource: resources[i] ?? 0, namespace: namespaces[i] ?? 0, name })),
  )
  const ids = await interned.ids(
    'object',
    objects.map(({ uid }, i) => ({ timeline: timelines[i] ?? 0, uid, kind: plain[i] ?? 0, ...UNSEEN })),
  )
  return objects.map((_, i) => ({
    namespace: namespaces[i] ?? 0,
    kind: kinds[i] ?? 0,
    timeline: timelines[i] ?? 0,
    object: ids[i] ?? 0,
  }))
}

/** Ids of terms; 0 for the empty text. */
async function termIds(
  interned: Interned,
  name: keyof typeof TERM_CLASSES,
  texts: readonly string[],
): Promise<number[]> {
  const wanted = texts.filter((text) => text !== '')
  const ids = await interned.ids(
    'term',
    wanted.map((text) => ({ class: TERM_CLASSES[name], text })),
  )
  let next = 0
  return texts.map((text) => (text === '' ? 0 : (ids[next++] ?? 0)))
}

/** The path sets that are shared, in the order of the records; empty for one that is not. */
async function pathSets(interned: Interned, records: readonly ChangeRecord[]): Promise<string[]> {
  const texts: string[] = []
  for (const { changes } of records) {
    const set = changes.length === 0 ? undefined : pathSetOf(changes)
    const text = set ? JSON.stringify(set) : ''
    const row = { class: TERM_CLASSES.paths, text }
    const shared =
      text !== '' && (interned.pathSets < MOST_PATH_SETS || (await interned.known('term', row)) !== undefined)
    texts.push(shared ? text : '')
  }
  return texts
}

/** The account as it is shared, its fields always in one order. */
function accountText({ username, uid, groups, extra }: ChangeUser): string {
  return JSON.stringify({ username, ...(uid === undefined ? {} : { uid }), groups, extra })
}
