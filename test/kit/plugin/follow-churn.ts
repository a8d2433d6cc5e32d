import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Pod } from '@kubernetes/client-node'
import type { ImageEvent } from '../../../src/core/wire/image.ts'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { churn, randomNumbers } from './churn.ts'
import { FollowProcess } from './follow-process.ts'
import { referencesOf } from './fold-images.ts'

const QUIET_LIMIT_MS = 120_000
const SAMPLES = 60

/** How long and how rough it is. */
export interface FollowChurnOptions {
  readonly cluster: ControlPlane
  readonly durationMs: number
  readonly seed: number
  readonly pauseMs: number
  /** What goes wrong, evenly spread over the time. */
  readonly faults: readonly Fault[]
}

/** Something that goes wrong, and is well again in the end. */
export type Fault = (cluster: ControlPlane, followers: readonly FollowProcess[]) => Promise<void>

/** One follower's part in it. */
export interface FollowerFigures {
  readonly args: readonly string[]
  readonly events: number
  readonly outages: number
  /** Resident bytes over time: epoch milliseconds and bytes. */
  readonly memory: readonly (readonly [at: number, bytes: number])[]
}

/** What the churn came to. */
export interface FollowChurnFigures {
  readonly operations: number
  readonly followers: readonly FollowerFigures[]
}

const FOLLOWERS: readonly (readonly string[])[] = [
  ['-A', '-o', 'json'],
  ['-A', '-o', 'json', '--no-protobuf'],
]

/**
 * Follows, in protobuf and in JSON, a cluster whose pods change at random while its API server suffers faults, and checks
 * of each stream that [+] and [-] of every image alternate and that their sum is what is there at the end.
 */
export async function followChurn(options: FollowChurnOptions): Promise<FollowChurnFigures> {
  const { cluster, durationMs, seed, pauseMs, faults } = options
  const followers = await Promise.all(FOLLOWERS.map((args) => FollowProcess.start(cluster, args)))
  const memory: [number, number][][] = followers.map(() => [])
  const ending = new AbortController()
  try {
    const operations = churn({
      admin: cluster.admin,
      namespaces: ['churn-a', 'churn-b', 'churn-c'],
      images: 120,
      seed,
      pauseMs,
      signal: ending.signal,
    })
    const sampling = sampleMemory(followers, memory, durationMs / SAMPLES, ending.signal)
    for (const fault of faults) {
      await delay(durationMs / (faults.length + 1))
      await fault(cluster, followers)
    }
    await delay(durationMs / (faults.length + 1))
    ending.abort()
    const [done] = await Promise.all([operations, sampling])
    for (const follower of followers) await expectTruth(cluster, follower)
    return {
      operations: done,
      followers: followers.map((follower, index) => ({
        args: FOLLOWERS[index] ?? [],
        events: follower.lines.length,
        outages: follower.stderr.split('; resumed').length - 1,
        memory: memory[index] ?? [],
      })),
    }
  } finally {
    ending.abort()
    for (const follower of followers) await follower.kill()
  }
}

/** Kills the API server, and starts it again after a random while of at most two seconds. */
export function killedFor(seed: number): Fault {
  const random = randomNumbers(seed)
  return async ({ apiServer }) => {
    await apiServer.kill()
    await delay(random() * 2000)
    await apiServer.start()
  }
}

/**
 * Cuts the followers off while much goes on, and kills the API server before they are back, so that it has forgotten all
 * that happened: only a new list, compared with what they knew, can tell them.
 */
export function forgotten(seed: number): Fault {
  const random = randomNumbers(seed)
  return async ({ apiServer }, followers) => {
    const losses = ({ stderr }: FollowProcess): number => stderr.split('the watch was lost').length
    const before = followers.map(losses)
    await apiServer.kill()
    for (const [index, follower] of followers.entries()) {
      await follower.waitFor(() => losses(follower) > (before[index] ?? 0), 'word of the outage')
      follower.pause()
    }
    try {
      await apiServer.start()
      await delay(1000 + random() * 2000)
      await apiServer.restart()
    } finally {
      for (const follower of followers) follower.resume()
    }
  }
}

/** Makes all that was known too old to go on from (410 Expired). */
export function expired(cluster: ControlPlane): Promise<void> {
  return cluster.expireResourceVersions()
}

/** Lets the API server hang for so long, in milliseconds; past 90 seconds a follower no longer waits for it. */
export function hungFor(ms: number): Fault {
  return async ({ apiServer }) => {
    apiServer.pause()
    await delay(ms)
    apiServer.resume()
  }
}

/** The images in use by the sum of a stream; throws where an image comes twice, or goes without having come. */
function sumOf(events: readonly ImageEvent[]): Set<string> {
  const present = new Set<string>()
  for (const [index, { op, image, pod }] of events.entries()) {
    const where = `event ${index}: ${op} ${image} of ${pod.namespace}/${pod.name}`
    if (op === '+') assert.ok(!present.has(image), `${where}, which is there already`)
    else assert.ok(present.has(image), `${where}, which is not there`)
    if (op === '+') present.add(image)
    else present.delete(image)
  }
  return present
}

async function expectTruth(cluster: ControlPlane, follower: FollowProcess): Promise<void> {
  const { stdout } = await cluster.kubectl(['get', 'pods', '-A', '-o', 'json'])
  const truth = referencesOf((JSON.parse(stdout) as { items: V1Pod[] }).items)
  assert.ok(truth.length > 0)
  const sum = () => [...sumOf(follower.events)].toSorted((a, b) => (a < b ? -1 : 1))
  await follower.waitFor(() => sum().join() === truth.join(), 'agreement with kubectl', QUIET_LIMIT_MS)
  // Whatever is still to come must change nothing.
  await delay(1500)
  assert.deepEqual(sum(), truth)
}

async function sampleMemory(
  followers: readonly FollowProcess[],
  memory: readonly [number, number][][],
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const [index, follower] of followers.entries()) memory[index]?.push([Date.now(), follower.memory])
    await delay(everyMs, undefined, { signal }).catch(() => undefined)
  }
}
