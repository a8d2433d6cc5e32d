import { changeName } from '../change-name.ts'
import type {
  ChangeDecision,
  ChangeRecord,
  KnownObject,
  RecordBatch,
  StoredGap,
} from '../store/audit-store.ts'

/** What the next commit keeps: a change that is decided before it was kept is kept as decided. */
export class NextBatch {
  readonly #added = new Map<string, ChangeRecord>()
  readonly #decided = new Map<string, ChangeDecision>()
  readonly #known = new Map<string, KnownObject>()
  #gaps: StoredGap[] = []
  heartbeat: number | undefined
  position: RecordBatch['position']

  add(record: ChangeRecord): void {
    this.#added.set(changeName(record.id), record)
  }

  decide(decision: ChangeDecision): void {
    const name = changeName(decision.id)
    const record = this.#added.get(name)
    if (record) this.#added.set(name, decidedRecord(record, decision))
    else this.#decided.set(name, decision)
  }

  /** The record of a change that is not kept yet. */
  record(name: string): ChangeRecord | undefined {
    return this.#added.get(name)
  }

  know(known: KnownObject): void {
    this.#known.set(known.object.uid, known)
  }

  /** What the next commit says of an object. */
  known(uid: string): KnownObject | undefined {
    return this.#known.get(uid)
  }

  gaps(gaps: readonly StoredGap[]): void {
    this.#gaps.push(...gaps)
  }

  /** Whether a commit would change what readers see, or what a restart begins with. */
  get empty(): boolean {
    const changes = this.#added.size + this.#decided.size + this.#known.size + this.#gaps.length
    return changes === 0 && this.heartbeat === undefined && this.position === undefined
  }

  /** Takes all out. */
  take(): RecordBatch {
    const batch: RecordBatch = {
      added: [...this.#added.values()],
      decided: [...this.#decided.values()],
      known: [...this.#known.values()],
      gaps: this.#gaps,
      ...(this.position ? { position: this.position } : {}),
      ...(this.heartbeat === undefined ? {} : { heartbeat: this.heartbeat }),
    }
    this.#added.clear()
    this.#decided.clear()
    this.#known.clear()
    this.#gaps = []
    this.position = undefined
    this.heartbeat = undefined
    return batch
  }
}

function decidedRecord(record: ChangeRecord, decision: ChangeDecision): ChangeRecord {
  const { state, reason, resourceVersionAfter, candidates, cause } = decision
  const { object } = record
  const after = resourceVersionAfter ?? object.resourceVersion.after
  return {
    ...record,
    state,
    reason,
    object: { ...object, resourceVersion: { ...object.resourceVersion, after } },
    ...(candidates ? { candidates } : {}),
    ...(cause ? { cause } : {}),
  }
}
