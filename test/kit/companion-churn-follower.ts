import { Agent, get } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { ImageEvent } from '../../src/core/wire/image.ts'
import type { ControlPlane } from './kubernetes/control-plane.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'
const RETRY_MS = 100
const PAGE = 200

/** What is followed, and by whom. */
export interface JournalFollowerOptions {
  /** `clusterimageevents`, `imageevents` or `namespaces/NAME/imageevents`. */
  readonly collection: string
  /** Everybody's administrator where left out. */
  readonly user?: { readonly name: string; readonly groups?: readonly string[] }
}

interface EventList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly ImageEvent[]
}

/**
 * A plain client of the journal through the real API server: a list, then watches that each go on after the last event
 * or bookmark that was told, whatever happens in between. Knows nothing of the product's code.
 */
export class JournalFollower {
  readonly collection: string
  /** From the beginning of the journal on, or from that of the last new list. */
  readonly events: ImageEvent[] = []
  /** Why it had to begin anew, each time. */
  readonly restarts: string[] = []
  /** How many watches were accepted. */
  watches = 0
  readonly #request: (path: string) => Promise<IncomingMessage>
  readonly #stopping = new AbortController()
  readonly #agent: Agent
  readonly #running: Promise<void>
  #resourceVersion = ''

  private constructor(cluster: ControlPlane, { collection, user }: JournalFollowerOptions) {
    this.collection = collection
    const { name: commonName, groups: organizations } = user ?? {
      name: 'follower',
      groups: ['system:masters'],
    }
    const { certificate: cert, key } = cluster.authority.issue({
      commonName,
      ...(organizations ? { organizations } : {}),
    })
    this.#agent = new Agent({ ca: cluster.authority.certificate, cert, key, keepAlive: false })
    this.#request = (path) =>
      new Promise((resolve, reject) => {
        get(
          `${cluster.url}${ROOT}/${path}`,
          { agent: this.#agent, headers: { accept: 'application/json' }, signal: this.#stopping.signal },
          resolve,
        ).once('error', reject)
      })
    this.#running = this.#run()
  }

  /** Begins to follow, and waits for its first list. */
  static async start(cluster: ControlPlane, options: JournalFollowerOptions): Promise<JournalFollower> {
    const follower = new JournalFollower(cluster, options)
    for (let waited = 0; follower.#resourceVersion === ''; waited += RETRY_MS) {
      if (waited > 120_000) throw new Error(`${options.collection} cannot be listed`)
      await delay(RETRY_MS)
    }
    return follower
  }

  /** The last number that it knows of. */
  get resourceVersion(): string {
    return this.#resourceVersion
  }

  /** The whole journal as a list says it now. */
  async readBack(): Promise<readonly ImageEvent[]> {
    return (await this.#list()).items
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#agent.destroy()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === '') {
          const { items, metadata } = await this.#list()
          this.events.splice(0, this.events.length, ...items)
          this.#resourceVersion = metadata.resourceVersion
        }
        await this.#watch()
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Gone) {
          this.restarts.push(error.message)
          this.#resourceVersion = ''
        }
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #list(): Promise<EventList> {
    const items: ImageEvent[] = []
    for (let token = ''; ;) {
      const query = new URLSearchParams({ limit: String(PAGE), ...(token ? { continue: token } : {}) })
      const page = JSON.parse(await this.#text(`${this.collection}?${query.toString()}`)) as EventList
      items.push(...page.items)
      token = page.metadata.continue ?? ''
      if (token === '') return { metadata: page.metadata, items }
    }
  }

  async #watch(): Promise<void> {
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${this.#resourceVersion}`
    const answer = await this.#request(`${this.collection}?${query}`)
    if (answer.statusCode !== 200) throw failure(answer.statusCode, await bodyOf(answer))
    this.watches += 1
    for await (const line of createInterface({ input: answer })) {
      const { type, object } = JSON.parse(line) as { type: string; object: ImageEvent & { code?: number } }
      if (type === 'ERROR') throw failure(object.code, line)
      if (type === 'ADDED') this.events.push(object)
      else if (type !== 'BOOKMARK') throw new Error(`an event was told as ${type}`)
      this.#resourceVersion = object.metadata?.resourceVersion ?? ''
    }
  }

  async #text(path: string): Promise<string> {
    const answer = await this.#request(path)
    const body = await bodyOf(answer)
    if (answer.statusCode !== 200) throw failure(answer.statusCode, body)
    return body
  }
}

/** The place in the journal is lost. */
class Gone extends Error {}

function failure(status: number | undefined, body: string): Error {
  return status === 410 ? new Gone(body) : new Error(`${status}: ${body}`)
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
