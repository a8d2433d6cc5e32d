import type { JoinDecision, ReviewDecision } from '../../../src/core/model/change-facts.ts'
import { changeId } from '../change-name.ts'
import type { ChangeId } from '../store/audit-store.ts'
import { hasLanded } from '../store/change-codes.ts'
import type { LatestChanges } from './latest-changes.ts'
import type { NextBatch } from './next-batch.ts'
import { countOne, type RecorderCounts } from './recorder-counts.ts'
import type { WatchedStep } from './resource-steps.ts'
import type { ReadReview } from './review-reading.ts'
import type { StepBook } from './step-book.ts'

/** What decisions are kept with. */
export interface DecisionBookDeps {
  readonly batch: NextBatch
  readonly steps: StepBook
  readonly latest: LatestChanges
  readonly counts: Pick<RecorderCounts, 'decided' | 'silent'>
  /** Of changes that only the watch saw. */
  readonly writer: number
  /** Whether reviews are the one witness of a resource. */
  readonly isUnwatched: (resource: string) => boolean
  /** A review is decided: gives it, the first time. */
  readonly take: (name: string) => ReadReview | undefined
}

/** Puts into the next batch what the joins decide: of reviews, and of steps that nobody reviewed. */
export class DecisionBook {
  readonly #deps: DecisionBookDeps
  /** Changes that the watch alone saw: a review may name them yet. */
  readonly #unattributed = new WeakMap<WatchedStep, ChangeId>()
  #unattributedSeq = 0

  constructor(deps: DecisionBookDeps) {
    this.#deps = deps
  }

  /** Access to an object changes nothing in it: there is nothing more to find out. */
  access({ record, facts }: ReadReview): void {
    const { batch, counts, take } = this.#deps
    batch.add({ ...record, state: 'admitted' })
    countOne(counts.decided, 'admitted')
    take(facts.id)
  }

  /** Keeps what follows from a decision of the join. */
  async decided(decision: JoinDecision<WatchedStep>): Promise<void> {
    const { batch, counts, steps } = this.#deps
    switch (decision.type) {
      case 'review':
        this.reviewDecided(decision)
        break
      case 'transition': {
        const { transition, verdict, named } = decision
        if (verdict === 'unattributed') await this.#nobody(transition, named)
        else if (verdict !== 'attributed') countOne(counts.silent, verdict)
        steps.settle(transition)
        break
      }
      case 'named': {
        const id = this.#unattributed.get(decision.transition)
        const reason = 'a review that came later names it'
        if (id) batch.decide({ id, state: 'superseded', reason })
        break
      }
      default:
        decision satisfies never
    }
  }

  /** Keeps what became of a review. */
  reviewDecided(decision: ReviewDecision): void {
    const { batch, counts, isUnwatched, latest, steps, take } = this.#deps
    const { review, state, reason, version, candidates } = decision
    const id = changeId(review.id)
    if (!id) throw new RangeError(`"${review.id}" names no change`)
    const draft = take(review.id)
    countOne(counts.decided, state)
    const landed = hasLanded(state)
    const cause = landed && draft ? latest.causeOf(draft.record, draft.object) : undefined
    batch.decide({
      id,
      state,
      reason,
      ...(version === undefined || review.operation === 'DELETE' ? {} : { resourceVersionAfter: version }),
      ...(candidates.length > 0 ? { candidates } : {}),
      ...(cause ? { cause } : {}),
    })
    if (!draft || !landed) return
    latest.note(draft.record)
    if (isUnwatched(review.resource)) {
      if (state === 'admitted' && !review.truncated) this.#knowUnwatched(draft)
    } else if (draft.body) steps.reviewed(review.uid, draft.body)
  }

  /** Of what nobody watches the reviews tell what there is. */
  #knowUnwatched({ record, facts, body }: ReadReview): void {
    if (record.object.subresource !== '') return
    const { subresource: _subresource, resourceVersion, ...object } = record.object
    const gone = record.operation === 'DELETE'
    const hash = gone ? facts.oldHash : facts.newHash
    this.#deps.batch.know({
      object,
      resourceVersion: resourceVersion.before,
      hash,
      body,
      ...(gone ? { gone } : {}),
    })
  }

  async #nobody(step: WatchedStep, named: Parameters<StepBook['unattributed']>[2]): Promise<void> {
    const { batch, counts, latest, steps, writer } = this.#deps
    const id = { writer, seq: this.#unattributedSeq + 1 }
    const record = await steps.unattributed(step, id, named)
    if (!record) return
    this.#unattributedSeq = id.seq
    this.#unattributed.set(step, id)
    const cause = latest.causeOf(record, step.seen.object, step.subresource)
    const caused = cause ? { ...record, cause } : record
    batch.add(caused)
    latest.note(caused)
    countOne(counts.decided, 'unattributed')
  }
}
