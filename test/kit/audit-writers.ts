import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { readAll, type KubeTransport } from '../../src/core/kube/transport.ts'
import type { Change, RecordingGap } from '../../src/core/wire/change.ts'
import { transportOf } from './audit-recording.ts'
import type { ControlPlane } from './kubernetes/control-plane.ts'
import { ensureNamespace } from './kubernetes/namespaces.ts'

/** One write that was tried. */
export interface AuditedWrite {
  readonly user: string
  readonly object: string
  /** A key of the ConfigMap that no other write has. */
  readonly key: string
  /** Epoch milliseconds. */
  readonly began: number
  readonly took: number
  /** 0 where there was no answer. */
  readonly status: number
}

/** What writers are to do. */
export interface AuditWritersOptions {
  readonly namespace: string
  readonly users?: readonly string[]
  readonly objects?: number
  /** Between two writes of one user. */
  readonly pauseMs?: number
}

const TIME_OUT_MS = 20_000
const TOLD_MS = 120_000
/** So long the API server waits for a review. */
const WEBHOOK_MS = 1000

/**
 * People who write into a few ConfigMaps at once, each time a key of its own, so that an object itself tells what landed
 * and the history can be held against it.
 */
export class AuditWriters {
  readonly writes: AuditedWrite[] = []
  readonly #cluster: ControlPlane
  readonly #namespace: string
  readonly #objects: readonly string[]
  readonly #pauseMs: number
  readonly #transports: readonly (readonly [string, KubeTransport])[]
  readonly #stopping = new AbortController()
  #working: Promise<unknown> = Promise.resolve()
  #count = 0

  private constructor(
    cluster: ControlPlane,
    { namespace, objects = 4, pauseMs = 25 }: AuditWritersOptions,
    transports: readonly (readonly [string, KubeTransport])[],
  ) {
    this.#cluster = cluster
    this.#namespace = namespace
    this.#objects = Array.from({ length: objects }, (_, index) => `written-${index}`)
    this.#pauseMs = pauseMs
    this.#transports = transports
  }

  /** They write from now on, until `stop`. */
  static async start(cluster: ControlPlane, options: AuditWritersOptions): Promise<AuditWriters> {
    const { users = ['alice', 'bob', 'carol'], namespace } = options
    await ensureNamespace(cluster.admin, namespace)
    const transports: [string, KubeTransport][] = []
    for (const user of users) transports.push([user, await transportOf(cluster, user)])
    const writers = new AuditWriters(cluster, options, transports)
    for (const name of writers.#objects) {
      await cluster.admin.send('POST', writers.#path(''), { metadata: { name }, data: {} })
    }
    writers.#working = Promise.all(transports.map(([user, transport]) => writers.#work(user, transport)))
    return writers
  }

  /** Lets so much time pass, and gives what was written in it; longer where that is less than `atLeast`. */
  async during(ms: number, atLeast = 0): Promise<readonly AuditedWrite[]> {
    const from = this.writes.length
    await delay(ms)
    while (this.writes.length - from < atLeast) await delay(50)
    return this.writes.slice(from)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#working
    for (const [, transport] of this.#transports) transport.close()
  }

  /** Tries until the history passes `check`: it is told late on a busy machine, and has two minutes for it. */
  async agree(
    ask: () => Promise<{ readonly changes: readonly Change[]; readonly gaps: readonly RecordingGap[] }>,
  ): Promise<{ readonly named: number; readonly unnamed: number }> {
    for (const until = Date.now() + TOLD_MS; ; await delay(500)) {
      const { changes, gaps } = await ask()
      try {
        return await this.check(changes, gaps)
      } catch (error) {
        if (Date.now() > until) throw error
      }
    }
  }

  /**
   * Holds a history (the oldest first) against the objects: each key that is there was brought by exactly one change, by
   * its user, or by one without a name, in a gap or because its review was not answered in time; gives how many of the keys each kind told.
   */
  async check(
    changes: readonly Change[],
    gaps: readonly RecordingGap[],
  ): Promise<{ readonly named: number; readonly unnamed: number }> {
    const by = new Map(this.writes.map((write) => [`${write.object}/${write.key}`, write]))
    const problems: string[] = []
    let [named, unnamed] = [0, 0]
    for (const object of this.#objects) {
      const { data = {} } = await this.#cluster.admin.send<{ data?: Record<string, string> }>(
        'GET',
        this.#path(object),
      )
      const ofObject = changes.filter(
        (change) => change.object.name === object && change.operation === 'UPDATE',
      )
      const versions = ofObject
        .filter(({ state }) => state !== 'unattributed')
        .flatMap((change) => change.object.resourceVersion.after || [])
      if (new Set(versions).size < versions.length) problems.push(`${object}: one write is told twice`)
      for (const key of Object.keys(data)) {
        const told = ofObject.filter(({ changes: fields }) =>
          fields.some((field) => keysOf(field).includes(key)),
        )
        const [change] = told
        const write = by.get(`${object}/${key}`)
        if (!change || told.length > 1 || !write) {
          const states = told.map(({ state, metadata }) => `${state} ${metadata?.name}`)
          problems.push(`${object} ${key} of ${timeOf(write)}: told ${told.length} times: ${states.join()}`)
        } else if (change.state === 'unattributed') {
          unnamed += 1
          if (!isExcused(write, gaps))
            problems.push(`${object} ${key} of ${timeOf(write)}: nobody’s, and there is no gap`)
        } else {
          named += 1
          if (change.user?.username !== write.user) {
            problems.push(`${object} ${key}: by ${write.user}, told of ${change.user?.username}`)
          }
        }
      }
      const landed = new Set(Object.keys(data))
      for (const { changes: fields, metadata } of ofObject) {
        const never = fields.flatMap(keysOf).filter((key) => !landed.has(key))
        if (never.length > 0) problems.push(`${metadata?.name}: ${never.join()} never landed`)
      }
    }
    assert.deepEqual(problems, [], JSON.stringify(gaps))
    return { named, unnamed }
  }

  #path(name: string): string {
    const all = `/api/v1/namespaces/${this.#namespace}/configmaps`
    return name === '' ? all : `${all}/${name}`
  }

  async #work(user: string, transport: KubeTransport): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#count += 1
      const [key, object] = [
        `${user}-${this.#count}`,
        this.#objects[this.#count % this.#objects.length] ?? '',
      ]
      const began = Date.now()
      const status = await patch(transport, this.#path(object), { data: { [key]: user } })
      this.writes.push({ user, object, key, began, took: Date.now() - began, status })
      await delay(this.#pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

async function patch(transport: KubeTransport, path: string, body: unknown): Promise<number> {
  try {
    const answer = await transport.send({
      method: 'PATCH',
      path,
      body: JSON.stringify(body),
      contentType: 'application/merge-patch+json',
      signal: AbortSignal.timeout(TIME_OUT_MS),
    })
    await readAll(answer.body)
    return answer.status
  } catch {
    return 0
  }
}

/** The first key of a map comes with the map. */
function keysOf({ path, to }: Change['changes'][number]): readonly string[] {
  if (path === 'data') return Object.keys(to ?? {})
  return path.startsWith('data.') ? [path.slice('data.'.length)] : []
}

function timeOf(write: AuditedWrite | undefined): string {
  return write === undefined ? 'nobody' : new Date(write.began).toISOString()
}

/** A review that was not answered in a second may be missing; gaps are told in whole seconds. */
function isExcused({ began, took }: AuditedWrite, gaps: readonly RecordingGap[]): boolean {
  if (took >= WEBHOOK_MS) return true
  return gaps.some(({ from, to }) => {
    const begins = Date.parse(from) - 1000
    const ends = to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to) + 1000
    return began <= ends && began + took >= begins
  })
}
