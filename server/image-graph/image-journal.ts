import type { SQLOutputValue } from 'node:sqlite'
import type { Store } from '../kit/store/store.ts'
import type { ImageGraphConfig } from './config.ts'
import { EventTimes } from './event-times.ts'
import type { ImageIdentity, JournalEvent, KeptImage, KnownPod } from './journal-records.ts'

/** What one transaction writes. */
export interface JournalWrite {
  /** The highest number given so far. */
  readonly number: number
  readonly events: readonly JournalEvent[]
  readonly pods: readonly KnownPod[]
  readonly gonePods: readonly string[]
  readonly images: readonly KeptImage[]
  readonly goneImages: readonly ImageIdentity[]
}

/** Which events are read, in the order of their numbers. */
export interface EventQuery {
  /** Only numbers greater than this. */
  readonly after: number
  /** No number greater than this. */
  readonly upTo: number
  /** Only events of the whole cluster. */
  readonly cluster: boolean
  readonly namespace: string | undefined
  readonly namespaceUid: string | undefined
  readonly image: string | undefined
  readonly limit: number
}

/** How far the journal reaches. */
export interface JournalState {
  readonly number: number
  /** Events up to this number are no longer kept, or never were. */
  readonly trimmed: number
  /** Epoch milliseconds since when the journal is whole. */
  readonly begins: number
  readonly events: number
}

/** So many events are removed in one transaction, which takes a few milliseconds. */
const TRIM_CHUNK = 500
const VACUUM_PAGES = 200

/** The journal of images in a store: what came and went, what is in use, and the pods that were known. */
export class ImageJournal {
  readonly #store: Store
  readonly #times = new EventTimes()
  #state: JournalState

  /** A new journal begins at `now` (epoch milliseconds); StoreFull where there is no space for it. */
  constructor(store: Store, now: number) {
    this.#store = store
    const row =
      store.statement('SELECT number, trimmed, begins FROM journal').get() ?? beginJournal(store, now)
    let events = 0
    for (const event of store.statement('SELECT number, time FROM event ORDER BY number').iterate()) {
      this.#times.add(Number(event['number']), Number(event['time']))
      events += 1
    }
    this.#state = {
      number: Number(row['number']),
      trimmed: Number(row['trimmed']),
      begins: Number(row['begins']),
      events,
    }
  }

  get state(): JournalState {
    return this.#state
  }

  /** Bytes of the whole store. */
  get usedBytes(): number {
    return this.#store.usedBytes()
  }

  /** The time of the first event that is kept, in epoch milliseconds; undefined where there is none. */
  get oldest(): number | undefined {
    const time = this.#store.statement('SELECT time FROM event ORDER BY number LIMIT 1').get()?.['time']
    return time === undefined ? undefined : Number(time)
  }

  /** What was found damaged at the start and begun anew. */
  get setAside(): Store['setAside'] {
    return this.#store.setAside
  }

  pods(): KnownPod[] {
    return this.#store
      .statement('SELECT uid, namespace, namespace_uid, name, edges FROM pod')
      .all()
      .map((row) => ({
        uid: text(row['uid']),
        namespace: text(row['namespace']),
        namespaceUid: text(row['namespace_uid']),
        name: text(row['name']),
        edges: JSON.parse(text(row['edges'])) as KnownPod['edges'],
      }))
  }

  images(): KeptImage[] {
    return this.#store
      .statement(
        `SELECT namespace, namespace_uid, reference, added, number, content, time, pod_namespace, pod, pod_uid, late
         FROM image`,
      )
      .all()
      .map((row) => ({
        namespace: text(row['namespace']),
        namespaceUid: text(row['namespace_uid']),
        reference: text(row['reference']),
        added: Number(row['added']),
        number: Number(row['number']),
        content: text(row['content']),
        change: {
          time: Number(row['time']),
          namespace: text(row['pod_namespace']),
          pod: text(row['pod']),
          podUid: text(row['pod_uid']),
          late: row['late'] === 1,
        },
      }))
  }

  /** Writes all of it or, where there is no space (StoreFull), nothing. */
  commit(write: JournalWrite): void {
    this.#store.write(() => {
      for (const event of write.events) this.#addEvent(event)
      for (const uid of write.gonePods) this.#store.statement('DELETE FROM pod WHERE uid = ?').run(uid)
      for (const pod of write.pods) this.#putPod(pod)
      for (const image of write.goneImages) this.#removeImage(image)
      for (const image of write.images) this.#putImage(image)
      this.#store.statement('UPDATE journal SET number = ?').run(write.number)
    })
    for (const { number, time } of write.events) this.#times.add(number, time)
    const events = this.#state.events + write.events.length
    this.#state = { ...this.#state, number: write.number, events }
  }

  #addEvent(event: JournalEvent): void {
    this.#store
      .statement(
        `INSERT INTO event (number, op, image, namespace, namespace_uid, pod, pod_uid, time, late, cluster)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        event.number,
        event.op,
        event.image,
        event.namespace,
        event.namespaceUid,
        event.pod,
        event.podUid,
        event.time,
        Number(event.late),
        Number(event.cluster),
      )
  }

  #putPod({ uid, namespace, namespaceUid, name, edges }: KnownPod): void {
    this.#store
      .statement('REPLACE INTO pod (uid, namespace, namespace_uid, name, edges) VALUES (?, ?, ?, ?, ?)')
      .run(uid, namespace, namespaceUid, name, JSON.stringify(edges))
  }

  #putImage({ namespace, namespaceUid, reference, added, number, content, change }: KeptImage): void {
    this.#store
      .statement(
        `REPLACE INTO image
         (namespace, namespace_uid, reference, added, number, content, time, pod_namespace, pod, pod_uid, late)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        namespace,
        namespaceUid,
        reference,
        added,
        number,
        content,
        change.time,
        change.namespace,
        change.pod,
        change.podUid,
        Number(change.late),
      )
  }

  #removeImage({ namespace, namespaceUid, reference }: ImageIdentity): void {
    this.#store
      .statement('DELETE FROM image WHERE namespace = ? AND namespace_uid = ? AND reference = ?')
      .run(namespace, namespaceUid, reference)
  }

  events({ after, upTo, cluster, namespace, namespaceUid, image, limit }: EventQuery): JournalEvent[] {
    const conditions: [sql: string, ...values: (string | number)[]][] = [
      ['number > ?', after],
      ['number <= ?', upTo],
    ]
    // As a literal, for the sake of the index that has these events only.
    if (cluster) conditions.push(['cluster = 1'])
    if (namespace !== undefined) conditions.push(['namespace = ?', namespace])
    if (namespaceUid !== undefined) conditions.push(['namespace_uid = ?', namespaceUid])
    if (image !== undefined) conditions.push(['image = ?', image])
    // Chosen by hand, for SQLite has no statistics here: few events are of one image, some of one namespace.
    const index =
      image !== undefined ? 'event_by_image' : namespace !== undefined ? 'event_by_namespace' : undefined
    const where = conditions.map(([condition]) => condition).join(' AND ')
    return this.#store
      .statement(
        `SELECT * FROM event ${index ? `INDEXED BY ${index}` : ''} WHERE ${where} ORDER BY number LIMIT ?`,
      )
      .all(...conditions.flatMap(([, ...values]) => values), limit)
      .map(eventOf)
  }

  event(number: number): JournalEvent | undefined {
    const row = this.#store.statement('SELECT * FROM event WHERE number = ?').get(number)
    return row && eventOf(row)
  }

  /** The number before that of the first event at this moment (epoch milliseconds) or later. */
  before(time: number): number {
    const from = this.#times.lookFrom(time)
    if (from === undefined) return this.#state.number
    const row = this.#store
      .statement('SELECT number FROM event WHERE number >= ? AND time >= ? ORDER BY number LIMIT 1')
      .get(from, time)
    return row ? Number(row['number']) - 1 : this.#state.number
  }

  /** How many events are of this moment (epoch milliseconds) or later. */
  countSince(time: number): number {
    return Number(
      this.#store.statement('SELECT count(*) AS events FROM event WHERE time >= ?').get(time)?.['events'],
    )
  }

  /**
   * Removes some of the oldest events beyond the limits, and gives free pages back; whether there may be more. A step
   * is a few milliseconds, so that requests are answered in between. Without a `now` (epoch milliseconds) none is too
   * old.
   */
  trim(limits: ImageGraphConfig, now: number | undefined): boolean {
    const oldest = this.#store
      .statement('SELECT number, time FROM event ORDER BY number LIMIT ?')
      .all(TRIM_CHUNK)
      .map((row) => ({ number: Number(row['number']), time: Number(row['time']) }))
    const tooMany = this.#state.events - limits.historyEvents
    const tooLarge = this.#store.usedBytes() > limits.historyBytes
    const oldestKept = now === undefined ? -Infinity : now - limits.historyMs
    const tooOld = oldest.findLastIndex(({ time }) => time < oldestKept) + 1
    const remove = tooLarge ? oldest.length : Math.min(oldest.length, Math.max(tooMany, tooOld))
    const last = oldest[remove - 1]
    if (!last) return false
    const removed = oldest.slice(0, remove)
    const begins = removed.reduce((latest, { time }) => Math.max(latest, time), this.#state.begins)
    this.#store.write(() => {
      this.#store.statement('DELETE FROM event WHERE number <= ?').run(last.number)
      this.#store.statement('UPDATE journal SET trimmed = ?, begins = ?').run(last.number, begins)
    })
    this.#times.forget(last.number)
    this.#state = { ...this.#state, trimmed: last.number, begins, events: this.#state.events - remove }
    this.#store.vacuum(VACUUM_PAGES)
    return true
  }

  close(): void {
    this.#store.close()
  }
}

function beginJournal(store: Store, now: number): Record<string, SQLOutputValue> {
  // Numbers of a store that was lost are older than any of this one, so that a watch from there is told to list again.
  const number = Math.floor(now / 1000) * 1_000_000
  store.write(() =>
    store
      .statement('INSERT INTO journal (id, number, trimmed, begins) VALUES (1, ?, ?, ?)')
      .run(number, number, now),
  )
  return { number, trimmed: number, begins: now }
}

function eventOf(row: Record<string, SQLOutputValue>): JournalEvent {
  return {
    number: Number(row['number']),
    op: row['op'] === '+' ? '+' : '-',
    image: text(row['image']),
    namespace: text(row['namespace']),
    namespaceUid: text(row['namespace_uid']),
    pod: text(row['pod']),
    podUid: text(row['pod_uid']),
    time: Number(row['time']),
    late: row['late'] === 1,
    cluster: row['cluster'] === 1,
  }
}

function text(value: SQLOutputValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
