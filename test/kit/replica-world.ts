import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServedChanges } from './audit-world.ts'
import { CompanionBalancer } from './companion-balancer.ts'
import { registerCompanion, unregisterCompanion } from './companion-cluster.ts'
import { type Companion, companionPorts, startCompanion } from './companion.ts'
import type { ControlPlane, ControlPlaneOptions } from './kubernetes/control-plane.ts'
import { ensureNamespace } from './kubernetes/namespaces.ts'
import { startControlPlane } from './kubernetes/start-control-plane.ts'
import type { PostgresServer } from './postgres.ts'

const API = '/apis/deckwatch.dev/v1alpha1'
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/deckwatch/leases/deckwatch-audit-log'
const WITHIN_MS = 120_000
const SETTLING = 'settling'

/** A control plane of a test's own with two companions that record its changes into one PostgreSQL, behind one Service. */
export class ReplicaWorld {
  readonly cluster: ControlPlane
  /** Of the database. */
  readonly url: string
  readonly replicas: readonly Companion[]
  readonly #balancer: CompanionBalancer

  private constructor(
    cluster: ControlPlane,
    url: string,
    replicas: readonly Companion[],
    balancer: CompanionBalancer,
  ) {
    this.cluster = cluster
    this.url = url
    this.replicas = replicas
    this.#balancer = balancer
  }

  /** Both are up, and each write is reviewed, once this resolves. */
  static async start(
    postgres: PostgresServer,
    { flags = [], ...options }: ControlPlaneOptions & { readonly flags?: readonly string[] } = {},
  ): Promise<ReplicaWorld> {
    const cluster = await startControlPlane(options)
    const ports = [await companionPorts(), await companionPorts()]
    const balancer = await CompanionBalancer.start(ports.map(({ api }) => api))
    const url = await postgres.createDatabase()
    const starting = ports.map((each) =>
      startCompanion(cluster, {
        components: ['api', 'audit-log'],
        ports: each,
        register: false,
        flags: [`--audit-service=deckwatch:${balancer.port}`, ...flags],
        env: { DECKWATCH_STORE: url },
      }),
    )
    const started = await Promise.allSettled(starting)
    const replicas = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const world = new ReplicaWorld(cluster, url, replicas, balancer)
    try {
      for (const each of started) if (each.status === 'rejected') throw each.reason
      await registerCompanion(cluster.admin, 'deckwatch', balancer.port)
      await world.untilReviewed()
      return world
    } catch (error) {
      await world.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await unregisterCompanion(this.cluster.admin, 'deckwatch', this.#balancer.port)
    for (const replica of this.replicas) await replica.stop()
    await this.#balancer.stop()
    await this.cluster.stop()
  }

  /** The changes of a namespace as they are served, whichever of the two is asked. */
  list(namespace: string, fields = ''): Promise<ServedChanges> {
    const query = fields === '' ? '' : `?fieldSelector=${encodeURIComponent(fields)}`
    return this.cluster.admin.send('GET', `${API}/namespaces/${namespace}/changes${query}`)
  }

  /** Asks until there is an answer. */
  async until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
    let problem = ''
    for (const limit = Date.now() + WITHIN_MS; ; await delay(100)) {
      try {
        const answer = await ask()
        if (answer !== undefined) return answer
        problem = ''
      } catch (error) {
        problem = `: ${error instanceof Error ? error.message : String(error)}`
      }
      if (Date.now() > limit) throw new Error(`waited in vain for ${what}${problem}`)
    }
  }

  /** Waits until a change that is made now is told, by its user. */
  async untilReviewed(): Promise<void> {
    const { admin } = this.cluster
    await ensureNamespace(admin, SETTLING)
    const names = new Set<string>()
    let madeAt = 0
    await this.until('a review', async () => {
      if (Date.now() - madeAt > 2000) {
        madeAt = Date.now()
        const name = `settled-${madeAt}`
        await admin.send('POST', `/api/v1/namespaces/${SETTLING}/configmaps`, { metadata: { name } })
        names.add(name)
      }
      const { items } = await this.list(SETTLING)
      return items.find(({ object, state }) => names.has(object.name) && state === 'confirmed')
    })
  }

  /** From now on the API server asks this one, where it runs; left out, either. */
  async prefer(replica?: Companion): Promise<void> {
    this.#balancer.prefer(replica?.ports.api)
    // It notices that its connections have ended before it sends the next review.
    await delay(300)
  }

  /** The replica that holds the Lease. */
  async holder(): Promise<Companion> {
    const { spec } = await this.cluster.admin.send<{ spec: { holderIdentity?: string } }>('GET', LEASE)
    const found = this.replicas.find(({ logFile }) => {
      const uid = logFile.split('/').at(-2)
      return uid !== undefined && spec.holderIdentity?.endsWith(uid)
    })
    assert.ok(found, spec.holderIdentity)
    return found
  }

  /** One that does not hold it. */
  async other(): Promise<Companion> {
    const holder = await this.holder()
    const found = this.replicas.find((replica) => replica !== holder)
    assert.ok(found)
    return found
  }
}
