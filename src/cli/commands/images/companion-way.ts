import type { ClusterConnection } from '../../../core/kube/connection.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { DeckError, type ErrorCode } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import type { Clock } from '../../../core/lib/time.ts'
import type { ImageMatch } from '../../../core/model/image-usage.ts'
import type { CompanionPorts, ServedImages } from '../../features/images/companion-ports.ts'
import { followCompanion, replay, type CompanionFollowQuery } from '../../features/images/follow-companion.ts'
import { followImages, type FollowItem, type FollowQuery } from '../../features/images/follow-images.ts'
import { imageHistory, type HistoryQuery, type ImageHistory } from '../../features/images/image-history.ts'
import type { ImagesAnswer } from '../../features/images/images-answer.ts'
import type { ImagesPorts } from '../../features/images/ports.ts'
import { servedAnswer } from '../../features/images/served-answer.ts'
import { findCompanion, type CompanionMode, type CompanionNeed } from '../../shell/companion.ts'
import type { CompanionMemory } from '../../shell/companion-memory.ts'
import type { Session } from '../../shell/session.ts'
import { companionPorts } from './companion-ports.ts'

/** So long a companion that was remembered may take for its first answer, in milliseconds; then pods are asked. */
const ANSWER_MS = 5000

const LATE: unique symbol = Symbol('late')

/** Failures of the way to the cluster: asking pods would meet them too. */
const NOT_ITS_FAULT: ReadonlySet<ErrorCode> = new Set([
  'KUBE_UNREACHABLE',
  'KUBE_TLS',
  'KUBE_UNAUTHORIZED',
  'CREDENTIAL_PLUGIN',
] satisfies ErrorCode[])

/** So an API server may refuse what nobody serves any more: with 403 where the rights have gone too. */
const MAY_BE_GONE: ReadonlySet<ErrorCode> = new Set([
  'KUBE_NOT_FOUND',
  'KUBE_FORBIDDEN',
  'KUBE_UNAVAILABLE',
] satisfies ErrorCode[])

/** What asking the companion stands on. */
export interface CompanionWayOptions {
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly memory: CompanionMemory
  readonly session: Pick<Session, 'clock' | 'stderr'>
  /** Ends with the command. */
  readonly signal: AbortSignal
  /** With `auto` whatever the companion cannot do is left to asking pods, with `require` it fails. */
  readonly mode: CompanionMode
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined
}

/** How `kubectl images` asks the companion, and goes on without it. */
export class CompanionWay {
  readonly #ports: CompanionPorts
  readonly #options: CompanionWayOptions
  readonly #need: CompanionNeed

  private constructor(options: CompanionWayOptions, need: CompanionNeed) {
    const { transport, connection, session, namespace } = options
    this.#ports = companionPorts({ transport, connection, clock: session.clock, namespace })
    this.#options = options
    this.#need = need
  }

  /** Undefined where there is no companion to ask; stderr then says why, where the cluster has one. */
  static async find(options: CompanionWayOptions): Promise<CompanionWay | undefined> {
    const { session, namespace, mode } = options
    const need = { resource: namespace === undefined ? 'clusterimages' : 'images', component: 'image-graph' }
    const finding = await findCompanion({ ...options, clock: session.clock }, need, mode)
    if (finding.found) return new CompanionWay(options, need)
    if (finding.note !== undefined) await this.#instead(session, finding.note)
    return undefined
  }

  /** The images in use; undefined where the companion could not tell them as well as pods do. */
  async answer(match: ImageMatch | undefined): Promise<ImagesAnswer | undefined> {
    const { namespace, signal, session } = this.#options
    const served = await this.#first(() => this.#images(signal))
    const answer = served && servedAnswer(served, match, namespace)
    for (const text of (answer && served?.warnings) ?? [])
      await session.stderr.write(`Warning: ${visible(text)}\n`)
    return answer
  }

  /** What came and went of an image; what fails is thrown. */
  async history(query: HistoryQuery): Promise<ImageHistory> {
    try {
      return await imageHistory(this.#ports, query, this.#options.signal)
    } catch (error) {
      throw await this.#explained(error)
    }
  }

  /** The stream by the companion, and by pods from where it fails. */
  async *follow(
    ports: ImagesPorts & { readonly clock: Clock },
    query: FollowQuery & Pick<CompanionFollowQuery, 'since'>,
  ): AsyncGenerator<FollowItem> {
    const { signal } = this.#options
    const companion = { ...this.#ports, listImages: this.#images, clock: ports.clock }
    const items = followCompanion(companion, query, signal)
    let item = await this.#first(() => items.next())
    if (!item) return yield* followImages(ports, query, signal)
    for (; !item.done; item = await items.next()) yield item.value
    if (!item.value) return
    const { told, at, reason } = item.value
    this.#giveUp(reason)
    yield { type: 'abandoned', at, reason }
    yield* followImages(ports, { ...query, told }, signal)
  }

  /** The recorded changes of a moment (epoch milliseconds) or later, and no more. */
  async *replay(since: number, match: ImageMatch | undefined): AsyncGenerator<FollowItem> {
    const items = replay(this.#ports, since, match, this.#options.signal)
    let changes = 0
    for (let item = await this.#first(() => items.next()); item && !item.done; item = await items.next()) {
      if (item.value.type === 'end') continue
      if (item.value.type === 'image') changes += 1
      yield item.value
    }
    yield { type: 'replayed', since, changes }
  }

  /** The images in use, unless the companion says that they may not be, and pods can be asked. */
  readonly #images = async (signal: AbortSignal): Promise<ServedImages> => {
    const served = await this.#ports.listImages(signal)
    if (this.#options.mode === 'require' || served.warnings.length === 0) return served
    throw new DeckError('COMPANION_ABSENT', `the companion says: ${served.warnings.join('; ')}`)
  }

  /**
   * The answer to a first question; undefined where it failed in a way that asking pods may not, which stderr then says.
   * With `require`, what failed is thrown.
   */
  async #first<T>(question: () => Promise<T>): Promise<T | undefined> {
    const { mode, session, memory, signal } = this.#options
    const answer = question()
    try {
      if (mode === 'require') return await answer
      const first = await this.#inTime(answer)
      if (first !== LATE) return first
      memory.forget()
      // It is not ended: a login that it waits for would end with it.
      answer.catch(() => undefined)
      await CompanionWay.#instead(session, `the companion did not answer within ${ANSWER_MS / 1000} s`)
    } catch (error) {
      signal.throwIfAborted()
      if (mode === 'require') throw await this.#explained(error)
      if (!(error instanceof DeckError) || NOT_ITS_FAULT.has(error.code)) throw error
      const note = await this.#reason(error)
      if (note !== undefined) await CompanionWay.#instead(session, note)
    }
    return undefined
  }

  /** A better explanation of a failure where the companion is no longer there at all. */
  async #explained(error: unknown): Promise<unknown> {
    if (!(error instanceof DeckError) || !MAY_BE_GONE.has(error.code)) return error
    const { memory, session } = this.#options
    memory.forget()
    try {
      await findCompanion({ ...this.#options, clock: session.clock }, this.#need, 'require')
      return error
    } catch (absent) {
      return absent
    }
  }

  /** Why the companion could not be asked, for a person; undefined where it has gone since it was remembered. */
  async #reason(error: DeckError): Promise<string | undefined> {
    const { memory, session } = this.#options
    memory.forget()
    if (!MAY_BE_GONE.has(error.code)) return error.message
    const search = { ...this.#options, clock: session.clock }
    const finding = await findCompanion(search, this.#need, 'auto', ANSWER_MS)
    return finding.found ? error.message : finding.note
  }

  async #inTime<T>(answer: Promise<T>): Promise<T | typeof LATE> {
    const waited = new AbortController()
    const { signal, session } = this.#options
    const limit = session.clock.sleep(ANSWER_MS, AbortSignal.any([signal, waited.signal]))
    try {
      return await Promise.race([answer, limit.then((): typeof LATE => LATE)])
    } finally {
      waited.abort()
    }
  }

  /** The companion is gone for good: it is forgotten and, where it is required, that is the end. */
  #giveUp(reason: string): void {
    const { memory, mode } = this.#options
    memory.forget()
    if (mode === 'auto') return
    throw new DeckError('COMPANION_ABSENT', `the companion does not answer any more: ${reason}`, {
      hint: 'What is wrong with it: kubectl deckwatch status',
    })
  }

  static #instead({ stderr }: Pick<Session, 'stderr'>, reason: string): Promise<void> {
    return stderr.write(`${visible(reason)}; asking the API server for pods instead\n`)
  }
}
