import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Image, ImageEvent } from '../../src/core/wire/image.ts'
import { expectRising, expectTold, foldEvents } from './companion-churn-check.ts'
import { JournalFollower } from './companion-churn-follower.ts'
import { ChurnRecord, type RecordMark } from './companion-churn-record.ts'
import type { ControlPlane } from './kubernetes/control-plane.ts'
import { ensureNamespace } from './kubernetes/namespaces.ts'
import { churn } from './plugin/churn.ts'
import { FollowProcess } from './plugin/follow-process.ts'

const NAMESPACES = ['churn-a', 'churn-b', 'churn-c']
const QUIET_LIMIT_MS = 120_000
const POLL_MS = 50
const API_SERVICE = '/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.deckwatch.dev'

/** How a churn is followed. */
export interface CompanionChurnOptions {
  readonly cluster: ControlPlane
  readonly seed: number
  /** Mean pause of each of four workers, in milliseconds. */
  readonly pauseMs?: number
  /** Also by `kubectl images --follow`. */
  readonly cli?: boolean
}

/** What goes wrong while pods come and go. */
export interface ChurnFault {
  readonly run: () => Promise<void>
  /** How often at most the companion did not see what happened, so that it could tell only the difference. */
  readonly gaps: number
  /** The journal was lost, and begins anew. */
  readonly anew?: boolean
  /** How long it goes well before and after, in milliseconds. */
  readonly aroundMs?: number
  /** It goes on until so many events were told, however slow the machine is. */
  readonly atLeast?: number
}

/** What a churn came to. */
export interface ChurnFigures {
  readonly operations: number
  /** Of the cluster, new ones. */
  readonly events: number
  /** Every request was answered, so that each event was compared with what one of them did. */
  readonly exact: boolean
}

/**
 * Pods that come and go beside a companion, their independent record, and followers of the journal: of the cluster, of
 * all namespaces, of one of them with rights there only, and `kubectl images --follow`.
 */
export class CompanionChurn {
  readonly record = new ChurnRecord()
  readonly #options: CompanionChurnOptions
  readonly #followers: readonly JournalFollower[]
  readonly #cli: FollowProcess | undefined
  #mark: RecordMark
  #told: readonly number[] = []
  #rounds = 0
  #ending = new AbortController()

  private constructor(
    options: CompanionChurnOptions,
    followers: readonly JournalFollower[],
    cli: FollowProcess | undefined,
  ) {
    this.#options = options
    this.#followers = followers
    this.#cli = cli
    this.#mark = this.record.mark()
    this.#told = followers.map(() => 0)
  }

  /** Begins to follow; the cluster has a companion, and no pods. */
  static async start(options: CompanionChurnOptions): Promise<CompanionChurn> {
    const { cluster, cli } = options
    for (const namespace of NAMESPACES) await ensureNamespace(cluster.admin, namespace)
    const [own = ''] = NAMESPACES
    const bind = [
      'create',
      'rolebinding',
      'narrow',
      '--clusterrole=view',
      '--user=narrow',
      `--namespace=${own}`,
    ]
    const { exitCode, stderr } = await cluster.kubectl(bind)
    assert.ok(exitCode === 0 || stderr.includes('already exists'), stderr)
    const followers = await Promise.all([
      JournalFollower.start(cluster, { collection: 'clusterimageevents' }),
      JournalFollower.start(cluster, { collection: 'imageevents' }),
      JournalFollower.start(cluster, {
        collection: `namespaces/${own}/imageevents`,
        user: { name: 'narrow' },
      }),
    ])
    const args = ['-A', '-o', 'json', '--companion=require']
    return new CompanionChurn(options, followers, cli ? await FollowProcess.start(cluster, args) : undefined)
  }

  /** Lets pods come and go around and during a fault, and then checks everything that was told since the last time. */
  async during({ run, gaps, anew = false, aroundMs = 1000, atLeast = 0 }: ChurnFault): Promise<ChurnFigures> {
    const { cluster, seed, pauseMs = 40 } = this.#options
    const ending = new AbortController()
    this.#ending = ending
    const operations = churn({
      admin: cluster.admin,
      namespaces: NAMESPACES,
      images: 60,
      seed: seed + this.#rounds++,
      pauseMs,
      signal: ending.signal,
      witness: this.record,
    })
    try {
      await delay(aroundMs)
      await run()
      // API servers ask a companion that was away again after up to half a minute, but at once where this has changed.
      await cluster.admin.send('PATCH', API_SERVICE, {
        metadata: { annotations: { 'deckwatch.test/round': `${this.#rounds} ${seed}` } },
      })
      await delay(aroundMs)
      await this.#untilTold(atLeast)
    } finally {
      ending.abort()
    }
    const done = await operations
    const exact = this.record.isWhole && !anew
    const events = await this.#check(gaps, anew, exact)
    return { operations: done, events, exact }
  }

  async #untilTold(atLeast: number): Promise<void> {
    const [ofCluster] = this.#followers
    const until = Date.now() + QUIET_LIMIT_MS
    while ((ofCluster?.events.length ?? 0) - (this.#told[0] ?? 0) < atLeast && Date.now() < until)
      await delay(POLL_MS)
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#cli?.kill()
    await Promise.all(this.#followers.map((follower) => follower.stop()))
  }

  async #check(gaps: number, anew: boolean, exact: boolean): Promise<number> {
    const { cluster } = this.#options
    const { record } = this
    await record.settle(cluster.admin)
    for (const follower of this.#followers) await this.#agreement(follower)
    await this.#cliAgreement()
    // Whatever is still to come must change nothing.
    await delay(500)
    const counts: number[] = []
    for (const [index, follower] of this.#followers.entries()) {
      const { events, restarts } = follower
      const what = `${follower.collection}, seed ${this.#options.seed}, round ${this.#rounds}`
      assert.deepEqual(restarts.splice(0).length, anew ? 1 : 0, `${what}: began anew`)
      await this.#agreement(follower)
      expectRising(events)
      assert.deepEqual(await follower.readBack(), events, `${what}: the list differs from what was told`)
      const told = events.slice(anew ? 0 : this.#told[index])
      if (exact)
        for (const [namespace, own] of byScope(follower, told))
          expectTold(own, record.steps(this.#mark, namespace), gaps)
      counts.push(events.length)
    }
    await this.#expectLists()
    const news = (counts[0] ?? 0) - (anew ? 0 : (this.#told[0] ?? 0))
    this.#told = counts
    this.#mark = record.mark()
    return news
  }

  /** Waits until what was told adds up to what is there. */
  async #agreement(follower: JournalFollower): Promise<void> {
    for (let waited = 0; ; waited += POLL_MS) {
      const sums = byScope(follower, follower.events).map(([namespace, own]) => [
        namespace,
        [...foldEvents(own)].toSorted(),
      ])
      const truth = byScope(follower, []).map(([namespace]) => [namespace, this.record.inUse(namespace)])
      if (JSON.stringify(sums) === JSON.stringify(truth)) return
      if (waited > QUIET_LIMIT_MS) assert.deepEqual(sums, truth, `${follower.collection} does not add up`)
      await delay(POLL_MS)
    }
  }

  async #cliAgreement(): Promise<void> {
    const cli = this.#cli
    if (!cli) return
    const truth = this.record.inUse()
    await cli.waitFor(
      () => [...foldEvents(cli.events)].toSorted().join() === truth.join(),
      `agreement with ${truth.join(' ')}`,
      QUIET_LIMIT_MS,
    )
    const [ofCluster] = this.#followers
    const recorded = cli.events.flatMap(({ metadata }) => metadata?.name ?? [])
    const all = (ofCluster?.events ?? []).flatMap(({ metadata }) => metadata?.name ?? [])
    // Numbers of a journal that was lost are older than any of a new one.
    const ofThis = recorded.filter((name) => Number(name) >= Number(all[0]))
    const first = all.indexOf(ofThis[0] ?? '')
    assert.deepEqual(ofThis, first < 0 ? [] : all.slice(first), 'kubectl images --follow told others')
  }

  /** The objects of images say the same. */
  async #expectLists(): Promise<void> {
    const { admin } = this.#options.cluster
    for (const namespace of [undefined, ...NAMESPACES]) {
      const path = namespace === undefined ? 'clusterimages' : `namespaces/${namespace}/images`
      const { items } = await admin.send<{ items: readonly Image[] }>(
        'GET',
        `/apis/deckwatch.dev/v1alpha1/${path}`,
      )
      assert.deepEqual(items.map(({ image }) => image.reference).toSorted(), this.record.inUse(namespace))
    }
  }
}

/** Events by what they add up to: the cluster's images, or those of each namespace. */
function byScope(
  { collection }: JournalFollower,
  events: readonly ImageEvent[],
): [namespace: string | undefined, events: readonly ImageEvent[]][] {
  if (collection === 'clusterimageevents') return [[undefined, events]]
  const own = /^namespaces\/([^/]+)/.exec(collection)?.[1]
  return (own === undefined ? NAMESPACES : [own]).map((namespace) => [
    namespace,
    events.filter(({ pod }) => pod.namespace === namespace),
  ])
}
