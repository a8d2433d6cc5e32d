import { setTimeout as delay } from 'node:timers/promises'
import type { V1Container, V1Pod } from '@kubernetes/client-node'
import { ApiStatusError, type ApiClient } from '../kubernetes/api-client.ts'
import { ensureNamespace } from '../kubernetes/namespaces.ts'

const WORKERS = 4
const NAMES = 8

/** How lively it is; the same seed makes the same choices. */
export interface ChurnOptions {
  readonly admin: ApiClient
  readonly namespaces: readonly string[]
  /** Different images that its pods use. */
  readonly images: number
  readonly seed: number
  /** Mean pause of each of the four workers between two operations, in milliseconds. */
  readonly pauseMs: number
  readonly signal: AbortSignal
  /** Told of every request that may have changed something. */
  readonly witness?: ChurnWitness
}

/** Keeps a record of the churn, by nothing but what the API server answered. */
export interface ChurnWitness {
  /** A pod as a request left it or, for `remove`, as it was in the end; the resourceVersion is that of the request. */
  answered(op: 'put' | 'remove', pod: V1Pod): void
  /** Nobody knows whether the request was carried out. */
  unanswered(): void
}

/**
 * Creates, changes and deletes random pods until the signal aborts; gives the number of operations that succeeded. An API
 * server that is away in between is no failure.
 */
export async function churn(options: ChurnOptions): Promise<number> {
  for (const namespace of options.namespaces) await ensureNamespace(options.admin, namespace)
  const counts = await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(options, worker)))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function work(
  { admin, namespaces, images, seed, pauseMs, signal, witness }: ChurnOptions,
  worker: number,
): Promise<number> {
  const random = randomNumbers(seed * WORKERS + worker)
  const below = (limit: number) => Math.floor(random() * limit)
  // Small numbers come more often: some images have many users, and most have none or one.
  const image = () => `registry.example.com/churn/image-${Math.floor(images * random() ** 2)}:1`
  let done = 0
  while (!signal.aborted) {
    const namespace = namespaces[below(namespaces.length)] ?? ''
    // Each worker has names of its own, so that nobody is in its way.
    const name = `pod-${worker}-${below(NAMES)}`
    const path = `/api/v1/namespaces/${namespace}/pods`
    try {
      const choice = random()
      // None is cut off by the end of it all: what becomes of a request should be known.
      if (choice < 0.45) {
        const created = await admin.send<V1Pod>('POST', path, randomPod(name, image, below))
        witness?.answered('put', created)
      } else if (choice < 0.8) {
        const removed = await admin.send<V1Pod>('DELETE', `${path}/${name}?gracePeriodSeconds=0`)
        witness?.answered('remove', removed)
      } else {
        const changed = await change(admin, `${path}/${name}`, image, choice > 0.95)
        if (changed) witness?.answered('put', changed)
      }
      done += 1
    } catch (error) {
      // Gone, there already, or changed by nobody but the API server itself: another choice is made.
      const expected =
        !(error instanceof ApiStatusError) || [404, 409].includes(error.status) || error.status >= 500
      const starting = error instanceof ApiStatusError && [401, 403].includes(error.status)
      if (!expected && !starting) throw error
      if (!(error instanceof ApiStatusError) || error.status >= 500) witness?.unanswered()
    }
    await delay(random() * 2 * pauseMs, undefined, { signal }).catch(() => undefined)
  }
  return done
}

function randomPod(name: string, image: () => string, below: (limit: number) => number): V1Pod {
  const containers = (stem: string, count: number): V1Container[] =>
    Array.from({ length: count }, (_, index) => ({ name: `${stem}-${index}`, image: image() }))
  return {
    metadata: { name },
    spec: { initContainers: containers('init', below(2)), containers: containers('app', 1 + below(2)) },
  }
}

/** Changes the image of a living pod's container, or adds an ephemeral container. */
async function change(
  admin: ApiClient,
  path: string,
  image: () => string,
  ephemeral: boolean,
): Promise<V1Pod | undefined> {
  const pod = await admin.send<V1Pod>('GET', path)
  if (!pod.spec) return undefined
  if (ephemeral) {
    const added = { name: `shell-${pod.spec.ephemeralContainers?.length ?? 0}`, image: image() }
    const ephemeralContainers = [...(pod.spec.ephemeralContainers ?? []), added]
    return admin.send('PUT', `${path}/ephemeralcontainers`, {
      ...pod,
      spec: { ...pod.spec, ephemeralContainers },
    })
  }
  const [first, ...others] = pod.spec.containers
  if (!first) return undefined
  const containers = [{ ...first, image: image() }, ...others]
  return admin.send('PUT', path, { ...pod, spec: { ...pod.spec, containers } })
}

/** Numbers in [0, 1) that follow from a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
