import type { ClusterConnection } from '../../../core/kube/connection.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { DeckError } from '../../../core/lib/errors.ts'
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
import { findCompanion, type CompanionMode } from '../../shell/companion.ts'
import type { CompanionMemory } from '../../shell/companion-memory.ts'
import { CompanionQuestion } from '../../shell/companion-question.ts'
import type { Session } from '../../shell/session.ts'
import { companionPorts } from './companion-ports.ts'

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
  readonly #question: CompanionQuestion

  private constructor(options: CompanionWayOptions, question: CompanionQuestion) {
    const { transport, connection, session, namespace } = options
    this.#ports = companionPorts({ transport, connection, clock: session.clock, namespace })
    this.#options = options
    this.#question = question
  }

  /** Undefined where there is no companion to ask; stderr then says why, where the cluster has one. */
  static async find(options: CompanionWayOptions): Promise<CompanionWay | undefined> {
    const { session, namespace, mode } = options
    const need = { resource: namespace === undefined ? 'clusterimages' : 'images', component: 'image-graph' }
    const search = { ...options, clock: session.clock }
    const finding = await findCompanion(search, need, mode)
    const instead = 'asking the API server for pods instead'
    const question = new CompanionQuestion({ ...search, need, instead, stderr: session.stderr })
    if (finding.found) return new CompanionWay(options, question)
    if (finding.note !== undefined) await question.say(finding.note)
    return undefined
  }

  /** The images in use; undefined where the companion could not tell them as well as pods do. */
  async answer(match: ImageMatch | undefined): Promise<ImagesAnswer | undefined> {
    const { namespace, signal, session } = this.#options
    const served = await this.#question.first(() => this.#images(signal))
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
      throw await this.#question.explained(error)
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
    let item = await this.#question.first(() => items.next())
    if (!item) return yield* followImages(ports, query, signal)
    for (; !item.done; item = await items.next()) yield item.value
    if (!item.value) return
    const { told, at, reason } = item.value
    this.#question.giveUp(reason)
    yield { type: 'abandoned', at, reason }
    yield* followImages(ports, { ...query, told }, signal)
  }

  /** The recorded changes of a moment (epoch milliseconds) or later, and no more. */
  async *replay(since: number, match: ImageMatch | undefined): AsyncGenerator<FollowItem> {
    const items = replay(this.#ports, since, match, this.#options.signal)
    let changes = 0
    for (
      let item = await this.#question.first(() => items.next());
      item && !item.done;
      item = await items.next()
    ) {
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
}
