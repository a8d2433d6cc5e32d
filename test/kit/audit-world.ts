import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Change, ChangeListExtra } from '../../src/core/wire/change.ts'
import type { RecordingStatus } from '../../src/core/wire/companion-status.ts'
import { type Companion, type CompanionOptions, startCompanion } from './companion.ts'
import type { ControlPlaneOptions, ControlPlane } from './kubernetes/control-plane.ts'
import type { KubectlOptions, KubectlResult } from './kubernetes/kubectl.ts'
import { ensureNamespace, namespaceIsFurnished } from './kubernetes/namespaces.ts'
import { startControlPlane } from './kubernetes/start-control-plane.ts'

/** A list of changes as it is served. */
export type ServedChanges = Partial<ChangeListExtra> & {
  readonly items: readonly Change[]
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
}

/** How a world is set up. */
export interface AuditWorldOptions {
  readonly companion?: Omit<CompanionOptions, 'components'>
  readonly cluster?: ControlPlaneOptions
  /** What is to be there before the companion is: kinds that it is told to record. */
  readonly prepare?: (cluster: ControlPlane) => Promise<void>
}

const WITHIN_MS = 120_000
/** What another kind’s watch tells may come so much later than what was written after it. */
const LATE_WATCH_MS = 5000
const SETTLING = 'settling'
const PERSON = ['system:masters']

/** A control plane of a test's own with a companion that records its changes, read by kubectl as people do. */
export class AuditWorld {
  readonly cluster: ControlPlane
  readonly #companion: Companion
  readonly #people = new Map<string, string>()

  private constructor(cluster: ControlPlane, companion: Companion) {
    this.cluster = cluster
    this.#companion = companion
  }

  /** Both are up, and each write is reviewed, once this resolves. */
  static async start({
    cluster: chosen = {},
    companion = {},
    prepare,
  }: AuditWorldOptions = {}): Promise<AuditWorld> {
    const cluster = await startControlPlane(chosen)
    try {
      await prepare?.(cluster)
      const components = ['api', 'image-graph', 'audit-log'] as const
      const world = new AuditWorld(cluster, await startCompanion(cluster, { ...companion, components }))
      await world.untilReviewed()
      return world
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  get companion(): Companion {
    return this.#companion
  }

  /** The kubeconfig of somebody who may do everything. */
  person(name: string): string {
    const known = this.#people.get(name) ?? this.cluster.user(name, PERSON)
    this.#people.set(name, known)
    return known
  }

  /** kubectl as somebody who may do everything. */
  kubectl(name: string, args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    return this.cluster.kubectl(args, { kubeconfig: this.person(name), ...options })
  }

  /** The same, and it must succeed; gives what it printed. */
  async run(name: string, args: readonly string[], input?: unknown): Promise<string> {
    const text = typeof input === 'string' ? input : JSON.stringify(input)
    const options = input === undefined ? {} : { input: text }
    const { stdout, stderr, exitCode } = await this.kubectl(name, args, options)
    assert.equal(exitCode, 0, `kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** With what controllers put into each, so that nothing of it comes among what a test writes. */
  async ensureNamespace(name: string): Promise<void> {
    await ensureNamespace(this.cluster.admin, name)
    await namespaceIsFurnished(this.cluster.admin, name)
  }

  /** The changes of a namespace, or of the whole cluster, the oldest first; by default those that landed. */
  async changes(namespace: string | undefined, fields: readonly string[] = []): Promise<readonly Change[]> {
    return (await this.list(namespace, fields)).items.toReversed()
  }

  /** The list as it is served. */
  async list(namespace: string | undefined, fields: readonly string[] = []): Promise<ServedChanges> {
    const path = namespace === undefined ? 'clusterchanges' : `namespaces/${namespace}/changes`
    const query = fields.length > 0 ? `?fieldSelector=${encodeURIComponent(fields.join(','))}` : ''
    return this.cluster.admin.send('GET', `/apis/deckwatch.dev/v1alpha1/${path}${query}`)
  }

  /** What the companion says of its recording; undefined before it records. */
  async recording(): Promise<RecordingStatus | undefined> {
    const { components } = await this.companion.status()
    return components.find(({ name }) => name === 'audit-log')?.recording
  }

  /** Waits until what was written so far and landed is told, reviewed or not. */
  async settled(): Promise<void> {
    const marker = `settled-${Date.now()}`
    await this.ensureNamespace(SETTLING)
    await this.run('settler', ['-n', SETTLING, 'create', 'configmap', marker])
    const last = await this.until(
      async () => (await this.changes(SETTLING, [`object.name=${marker}`]))[0],
      'a change that was made last',
    )
    // Each kind has a watch of its own; what was refused is pending for longer, and is not waited for.
    const written = Date.parse(last.time)
    const until = written + LATE_WATCH_MS
    while (Date.now() < until && (await this.#pending()).some((time) => time <= written)) await delay(100)
  }

  /** When what waits for its watch was reviewed; ConfigMaps are told in the order of the marker. */
  async #pending(): Promise<readonly number[]> {
    const { items } = await this.list(undefined, ['state=pending', 'object.resource!=configmaps'])
    return items.map(({ time }) => Date.parse(time))
  }

  /** Asks until there is an answer. */
  async until<T>(ask: () => Promise<T | undefined> | T | undefined, what = String(ask)): Promise<T> {
    let problem = ''
    for (const limit = Date.now() + WITHIN_MS; ; await delay(100)) {
      try {
        const answer = await ask()
        if (answer !== undefined) return answer
        problem = ''
      } catch (error) {
        problem = `: ${error instanceof Error ? error.message : String(error)}`
      }
      if (Date.now() > limit) {
        throw new Error(`waited in vain for ${what}${problem}`)
      }
    }
  }

  /** Waits until the API server sends reviews and they are recorded: it takes a registration up after a moment. */
  async untilReviewed(): Promise<void> {
    await this.until(async () => ((await this.recording())?.webhook.ok ? true : undefined), 'the webhook')
    await this.ensureNamespace(SETTLING)
    const names = new Set<string>()
    await this.until(async () => {
      const name = `reviewed-${Date.now()}`
      await this.run('settler', ['-n', SETTLING, 'create', 'configmap', name])
      names.add(name)
      await delay(300)
      // On a busy machine an earlier one may be told only now.
      const confirmed = await this.changes(SETTLING, ['state=confirmed'])
      return confirmed.find(({ object }) => names.has(object.name))
    }, 'a review')
  }

  async stop(): Promise<void> {
    await this.#companion.stop()
    await this.cluster.stop()
  }
}
