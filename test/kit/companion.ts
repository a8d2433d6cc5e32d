import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { SERVER_NODE_FLAGS } from '../../scripts/bundle/server-node-flags.ts'
import type { CompanionStatus } from '../../src/core/wire/companion-status.ts'
import { type DeployValues, NAMES } from '../../server/deploy/index.ts'
import {
  grantCompanion,
  registerCompanion,
  removeWebhook,
  unregisterCompanion,
  untilServed,
} from './companion-cluster.ts'
import { podToken } from './companion-token.ts'
import type { ControlPlane } from './kubernetes/control-plane.ts'
import { freePorts } from './kubernetes/free-ports.ts'

/** The namespace of the companion where a test names no other. */
export const COMPANION_NAMESPACE = 'deckwatch'

/** Where a companion listens on 127.0.0.1. */
export interface CompanionPorts {
  readonly api: number
  readonly peer: number
  readonly metrics: number
}

/** Ports for a companion that others must know of before it runs. */
export async function companionPorts(): Promise<CompanionPorts> {
  const [api = 0, peer = 0, metrics = 0] = await freePorts(3)
  return { api, peer, metrics }
}

/** How a companion is started. */
export interface CompanionOptions {
  /** `api` and `image-graph` where left out. */
  readonly components?: readonly ('api' | 'image-graph' | 'audit-log')[]
  /** What an installation would be asked for; the rights follow from it. */
  readonly values?: Partial<DeployValues>
  /** Further flags; a later one wins. */
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The folder of the stores, kept by its owner; where left out it is the companion's own and goes with it. */
  readonly data?: string
  readonly namespace?: string
  /** Of `companionPorts`; free ones where left out. */
  readonly ports?: CompanionPorts
  /** The rooms run elsewhere: where this api asks them (`companion.ports.peer`). */
  readonly peers?: Readonly<Record<string, number>>
  /** Where rooms without an api get their certificate: the port of an api. */
  readonly leafPort?: number
  /** False leaves the API server in ignorance: no Service, no APIService. */
  readonly register?: boolean
  /** What is run; the sources where left out. */
  readonly program?: readonly string[]
  /** Resolve before it is ready. */
  readonly impatient?: boolean
}

/** One line of the companion's log. */
export interface CompanionLogLine {
  readonly level: string
  readonly time: string
  readonly message: string
  readonly [field: string]: unknown
}

/** What an HTTP request to the companion itself, past the API server, was answered. */
export interface CompanionAnswer {
  readonly status: number
  readonly body: string
}

/** A companion as a process of this host, with a token and exactly the rights of its ServiceAccount. */
export interface Companion {
  readonly namespace: string
  /** `https://127.0.0.1:PORT` of the api, or of the probes where there is none. */
  readonly url: string
  readonly ports: CompanionPorts
  /** The folder of the stores. */
  readonly data: string
  readonly logFile: string
  /** Undefined while it does not run. */
  readonly pid: number | undefined
  /** All that it logged so far, over restarts too. */
  logs(): readonly CompanionLogLine[]
  /** Asks the process itself, without a client certificate. */
  ask(path: string): Promise<CompanionAnswer>
  status(): Promise<CompanionStatus>
  /** SIGKILL, and wait for the end. */
  kill(): Promise<void>
  /** SIGTERM, and wait for the end; gives the exit code. */
  terminate(): Promise<number | null>
  /** The process again, with the same ports and data; waits until it is ready, and served by the API server if it was. */
  start(): Promise<void>
  /** Kill and start. */
  restart(): Promise<void>
  /** Waits until /readyz says so. */
  untilReady(): Promise<void>
  /** Takes it out of the API server first, ends it, and removes what was its own. */
  stop(): Promise<void>
}

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const READY_MS = 180_000

/**
 * Starts a companion on a cluster. The API server finds it by a Service of type ExternalName; one that is registered
 * at a time in a cluster.
 */
export async function startCompanion(
  cluster: ControlPlane,
  options: CompanionOptions = {},
): Promise<Companion> {
  const { components = ['api', 'image-graph'], namespace = COMPANION_NAMESPACE } = options
  const isApi = components.includes('api')
  const apart = !isApi || components.length === 1
  const rooms = components.filter((component) => component !== 'api')
  const { values = {} } = options
  const account = await grantCompanion(cluster.admin, { namespace, apart, isApi, rooms, values })
  const companion = new HostCompanion(cluster, namespace, options, options.ports ?? (await companionPorts()))
  const flags = await companion.prepare(account, components)
  try {
    await companion.launch(flags)
    if (isApi && options.register !== false) await companion.register()
    if (!options.impatient) await companion.untilReady()
  } catch (error) {
    await companion.stop()
    throw error
  }
  return companion
}

class HostCompanion implements Companion {
  readonly namespace: string
  readonly ports: CompanionPorts
  readonly data: string
  readonly logFile: string
  readonly #cluster: ControlPlane
  readonly #options: CompanionOptions
  readonly #folder: string
  #flags: readonly string[] = []
  #registered = false
  #child: ChildProcess | undefined

  constructor(cluster: ControlPlane, namespace: string, options: CompanionOptions, ports: CompanionPorts) {
    mkdirSync(cluster.folder.file('companions'), { recursive: true })
    this.#cluster = cluster
    this.#options = options
    this.#folder = mkdtempSync(cluster.folder.file('companions', 'run-'))
    this.namespace = namespace
    this.ports = ports
    this.data = options.data ?? join(this.#folder, 'data')
    this.logFile = join(this.#folder, 'log')
  }

  get url(): string {
    return `https://127.0.0.1:${this.ports.api}`
  }

  get pid(): number | undefined {
    const child = this.#child
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined
  }

  async prepare(account: string, components: readonly string[]): Promise<readonly string[]> {
    const { namespace, ports, data } = this
    const { peers = {}, leafPort, flags = [] } = this.#options
    const token = await this.#cluster.token(namespace, account)
    const tokenFile = join(this.#folder, 'token')
    if (!components.includes('api')) {
      writeFileSync(tokenFile, await podToken(this.#cluster.admin, namespace, account), { mode: 0o600 })
    }
    const asked = Object.entries(peers).map(([component, port]) => `${component}=127.0.0.1:${port}`)
    return [
      `--kubeconfig=${this.#cluster.tokenKubeconfig(token)}`,
      `--components=${components.join(',')}`,
      `--namespace=${namespace}`,
      `--data=${data}`,
      `--api-address=127.0.0.1:${ports.api}`,
      `--peer-address=127.0.0.1:${ports.peer}`,
      `--metrics-address=127.0.0.1:${ports.metrics}`,
      `--token-file=${tokenFile}`,
      ...(asked.length > 0 ? [`--peers=${asked.join(',')}`] : []),
      ...(leafPort === undefined ? [] : [`--leaf-url=https://127.0.0.1:${leafPort}/peer/v1/leaf`]),
      ...(components.includes('audit-log') ? [`--audit-service=${NAMES.companion}:${ports.api}`] : []),
      '--shutdown-grace=5s',
      ...flags,
    ]
  }

  async launch(flags: readonly string[]): Promise<void> {
    this.#flags = flags
    if (this.pid !== undefined) throw new Error('this companion runs already')
    const [program = '', ...args] = this.#options.program ?? [process.execPath, ...SERVER_NODE_FLAGS, MAIN]
    const log = openSync(this.logFile, 'a')
    const { HOME: _home, KUBECONFIG: _kubeconfig, ...env } = process.env
    const child = spawn(program, [...args, ...flags], {
      stdio: ['ignore', log, log],
      // One pod over all restarts, as with a container's: it goes on with its Lease at once.
      env: { ...env, POD_UID: basename(this.#folder), ...this.#options.env },
      detached: true,
    })
    closeSync(log)
    this.#child = child
    await once(child, 'spawn')
    child.unref()
    if (child.pid !== undefined) this.#cluster.folder.record(`companion-${this.ports.api}`, child.pid)
  }

  logs(): readonly CompanionLogLine[] {
    return readFileSync(this.logFile, 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as CompanionLogLine] : []))
  }

  ask(path: string): Promise<CompanionAnswer> {
    return new Promise((resolve, reject) => {
      // Whoever probes it, such as a kubelet, does not verify; tests of the certificate look at it themselves.
      const options = { agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(10_000) }
      request(`${this.url}${path}`, options, (response) => {
        const { statusCode: status = 0 } = response
        text(response).then((body) => resolve({ status, body }), reject)
      })
        .once('error', reject)
        .end()
    })
  }

  async status(): Promise<CompanionStatus> {
    return JSON.parse((await this.ask('/statusz')).body) as CompanionStatus
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  terminate(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  async start(): Promise<void> {
    await this.launch(this.#flags)
    await this.untilReady()
    if (this.#registered) await untilServed(this.#cluster.admin)
  }

  async register(): Promise<void> {
    await registerCompanion(this.#cluster.admin, this.namespace, this.ports.api)
    this.#registered = true
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  async untilReady(): Promise<void> {
    const until = Date.now() + READY_MS
    for (let last = ''; ;) {
      if (this.pid === undefined) throw new Error(`the companion has ended:\n${this.#tail()}`)
      try {
        const { status, body } = await this.ask('/readyz?verbose')
        if (status === 200) return
        last = body
      } catch (error) {
        last = String(error)
      }
      if (Date.now() > until) throw new Error(`the companion is not ready: ${last}\n${this.#tail()}`)
      await delay(25)
    }
  }

  async stop(): Promise<void> {
    if (this.#options.components?.includes('audit-log')) await removeWebhook(this.#cluster.admin)
    await unregisterCompanion(this.#cluster.admin, this.namespace, this.ports.api)
    const stopped = await Promise.race([this.terminate().then(() => true), delay(15_000, false)])
    if (!stopped) await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child
    if (!child || this.pid === undefined) return child?.exitCode ?? null
    child.ref()
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    return child.exitCode
  }

  #tail(): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
  }
}
