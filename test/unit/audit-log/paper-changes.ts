import type { ChangeSource, RecorderState } from '../../../server/audit-log/readers/change-source.ts'
import type {
  ChangePage,
  ChangeQuery,
  NumberedChange,
  PageCursor,
  StoredGap,
  StoredTouch,
} from '../../../server/audit-log/store/audit-store.ts'
import { sampleChange, userNamed } from '../../kit/sample-change.ts'

/** What makes a change of a test differ from the others. */
export type ChangeParts = Partial<Omit<NumberedChange, 'object' | 'id'>> & {
  readonly object?: Partial<NumberedChange['object']>
}

const WRITER = 7
/** 2026-11-21T02:00:00Z. */
export const BEGINS = Date.UTC(2026, 10, 21, 2)

/** Changes in memory, for tests of their readers; the store's own suite tells how real ones behave. */
export class PaperChanges implements ChangeSource {
  readonly #changes: NumberedChange[] = []
  readonly #listeners = new Set<() => void>()
  #number = 1000
  trimmed = 1000
  gapsKept: StoredGap[] = []
  touches: StoredTouch[] = []
  ready: RecorderState['ready'] = { ok: true, reason: 'recording' }
  started = true

  get state(): RecorderState | undefined {
    if (!this.started) return undefined
    return {
      ready: this.ready,
      kinds: [
        { group: 'apps', resource: 'deployments' },
        { group: '', resource: 'secrets' },
        { group: '', resource: 'configmaps' },
      ],
      store: {
        number: this.#number,
        trimmed: this.trimmed,
        begins: BEGINS,
        heartbeat: undefined,
        oldest: undefined,
        usedBytes: 0,
        setAside: undefined,
      },
    }
  }

  onState(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Records one more change: of deployment web in namespace shop by jane, where nothing else is said. */
  add(parts: ChangeParts = {}): NumberedChange {
    const number = (this.#number += 1)
    const { time = BEGINS + number, object, ...rest } = parts
    const change: NumberedChange = {
      ...sampleChange({
        user: userNamed('jane'),
        changes: [{ path: 'spec.replicas', op: 'replace', from: 1, to: number }],
        ...rest,
        object: { resourceVersion: { before: '', after: String(number) }, ...object },
      }),
      time,
      id: { writer: WRITER, seq: number },
      number,
    }
    this.#changes.push(change)
    this.#tell()
    return change
  }

  /** Finds out more about a change. */
  decide(change: NumberedChange, parts: Pick<NumberedChange, 'state'>): NumberedChange {
    const index = this.#changes.findIndex(({ id }) => id.seq === change.id.seq)
    const decided = { ...change, ...parts, number: (this.#number += 1), revised: true }
    this.#changes.splice(index, 1)
    this.#changes.push(decided)
    this.#tell()
    return decided
  }

  tellAgain(): void {
    this.#tell()
  }

  async page(query: ChangeQuery, limit: number, after: PageCursor | undefined): Promise<ChangePage> {
    const found = this.#matching(query)
      .toSorted((a, b) => b.time - a.time)
      .filter(({ time }) => after === undefined || time < after.time)
    const items = found.slice(0, limit)
    const last = items.at(-1)
    return { items, next: found.length > limit && last ? { ...last.id, time: last.time } : undefined }
  }

  async get({ writer, seq }: NumberedChange['id']): Promise<NumberedChange | undefined> {
    return this.#changes.find(({ id }) => id.writer === writer && id.seq === seq)
  }

  async after(number: number, limit: number): Promise<readonly NumberedChange[]> {
    return this.#changes.filter((change) => change.number > number).slice(0, limit)
  }

  async touched(): Promise<readonly StoredTouch[]> {
    return this.touches
  }

  async count(query: ChangeQuery): Promise<number> {
    return this.#matching(query).length
  }

  async gaps(from: number, to: number): Promise<readonly StoredGap[]> {
    return this.gapsKept.filter((gap) => gap.from <= to && (gap.to ?? to) >= from)
  }

  #matching(query: ChangeQuery): NumberedChange[] {
    return this.#changes.filter(
      (change) =>
        (query.states.length === 0 || query.states.includes(change.state)) &&
        (query.namespace === undefined || change.object.namespace === query.namespace) &&
        (query.namespaceUid === undefined || change.object.namespaceUid === query.namespaceUid) &&
        (query.since === undefined || change.time >= query.since) &&
        (query.until === undefined || change.time <= query.until) &&
        (query.visible === 'all' ||
          query.visible.some(
            ({ group, resource }) => group === change.object.group && resource === change.object.resource,
          )),
    )
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
