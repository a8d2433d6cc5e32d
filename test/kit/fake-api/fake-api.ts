import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { FakeAnswer } from './fake-answer.ts'
import { fakeDiscovery } from './fake-discovery.ts'
import { FakeFaults, type FakeRequest } from './fake-faults.ts'
import { bodyWriter, type Fault } from './fake-fault.ts'
import { type FakeTarget, kindNamed, targetOf } from './fake-kinds.ts'
import { fakeList, selectorOf } from './fake-list.ts'
import { FakeCompanion } from './fake-companion.ts'
import { BadSelector } from './fake-selectors.ts'
import { type FakeObject, FakeStore } from './fake-store.ts'
import { FakeWatch } from './fake-watch.ts'
import { fakeWrite } from './fake-write.ts'
import { hasProtobuf } from './protobuf-encode.ts'

/** How a fake API server begins. */
export interface FakeApiOptions {
  /** False answers in JSON whatever the client would rather have. */
  readonly protobuf?: boolean
  /** Only requests with one of these bearer tokens are let in; all are where left out. */
  readonly tokens?: readonly string[]
  /** False leaves out of a 410 the token with which the list could go on. */
  readonly continuesExpiredLists?: boolean
  /** False tells its types group by group, as servers before 1.26 do. */
  readonly aggregatedDiscovery?: boolean
  readonly objects?: readonly FakeObject[]
  /** With a companion in the cluster, over these objects; it can also be brought in later. */
  readonly companion?: boolean
}

/** An API server in this process, for what a real one cannot be made to do. */
export interface FakeApi {
  readonly url: string
  /** All requests so far, also those that a fault answered. */
  readonly requests: readonly FakeRequest[]
  readonly faults: FakeFaults
  /** The companion, where the cluster has one. */
  readonly companion: FakeCompanion
  /** Puts a companion into the cluster. */
  installCompanion(): void
  /** Takes the companion out of the cluster: its API group is gone, and its watches end. */
  uninstallCompanion(): void
  /** How many watches are open. */
  readonly watches: number
  /** Creates or updates an object by its kind, namespace and name; gives it with uid and resourceVersion. */
  put(object: FakeObject): FakeObject
  /** Deletes an object; `namespace` is ignored for kinds that have none. */
  remove(kind: string, namespace: string, name: string): boolean
  /** All objects of a kind, in the order of the server. */
  list(kind: string, namespace?: string): readonly FakeObject[]
  /** Forgets all history: older watches and continue tokens get 410. */
  expire(): void
  /** Sends a bookmark to every watch. */
  bookmark(): void
  /** Ends every watch as the server does at its timeout. */
  endWatches(): void
  /** Breaks all connections, as a crash does; new ones are accepted. */
  dropConnections(): void
  /** Breaks all connections and refuses new ones. */
  down(): Promise<void>
  /** Accepts connections again, at the same address. */
  up(): Promise<void>
  /** A kubeconfig with this server, and the first of the tokens where there are any. */
  kubeconfig(): string
  /** Writes the kubeconfig into a folder and gives its path. */
  writeKubeconfig(folder: string): Promise<string>
  stop(): Promise<void>
}

/** Starts a fake API server on a free port of 127.0.0.1. */
export async function startFakeApi(options: FakeApiOptions = {}): Promise<FakeApi> {
  const server = new FakeApiServer(options)
  await server.up()
  return server
}

class FakeApiServer implements FakeApi {
  readonly requests: FakeRequest[] = []
  readonly faults = new FakeFaults()
  readonly #options: FakeApiOptions
  readonly #store = new FakeStore()
  readonly #sockets = new Set<Socket>()
  readonly #watches = new Set<FakeWatch>()
  readonly #server = createServer((request, response) => this.#answer(request, response))
  #port = 0
  #companion: FakeCompanion | undefined

  constructor(options: FakeApiOptions) {
    this.#options = options
    for (const object of options.objects ?? []) this.#store.put(object)
    if (options.companion) this.installCompanion()
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get watches(): number {
    return this.#watches.size
  }

  get companion(): FakeCompanion {
    if (!this.#companion) throw new Error('this fake API server has no companion')
    return this.#companion
  }

  installCompanion(): void {
    this.#companion = new FakeCompanion(this.#store)
  }

  uninstallCompanion(): void {
    this.companion.endWatches()
    this.companion.changes.endWatches()
    this.#companion = undefined
  }

  put(object: FakeObject): FakeObject {
    return this.#store.put(object)
  }

  remove(kind: string, namespace: string, name: string): boolean {
    return this.#store.remove(kind, namespace, name)
  }

  list(kind: string, namespace?: string): readonly FakeObject[] {
    return this.#store.list(kindNamed(kind), namespace)
  }

  expire(): void {
    this.#store.expire()
  }

  bookmark(): void {
    for (const watch of this.#watches) watch.bookmark()
  }

  endWatches(): void {
    for (const watch of this.#watches) watch.end()
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async down(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.dropConnections()
    await closed
  }

  async up(): Promise<void> {
    if (this.#server.listening) return
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  kubeconfig(): string {
    const [token] = this.#options.tokens ?? []
    // JSON is YAML.
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'fake',
      clusters: [{ name: 'fake', cluster: { server: this.url } }],
      users: [{ name: 'fake', user: token ? { token } : {} }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    })
  }

  async writeKubeconfig(folder: string): Promise<string> {
    const path = join(folder, 'fake.kubeconfig')
    await writeFile(path, this.kubeconfig(), { mode: 0o600 })
    return path
  }

  async stop(): Promise<void> {
    await this.down()
  }

  #answer(incoming: IncomingMessage, response: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', this.url)
    const request: FakeRequest = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      accept: incoming.headers.accept ?? '*/*',
      userAgent: incoming.headers['user-agent'] ?? '',
    }
    this.requests.push(request)
    const body = text(incoming)
    // Whoever goes away while it is read has no answer to wait for.
    body.catch(() => undefined)
    const fault = this.faults.take(request)
    if (fault?.kind === 'stall') return
    if (fault?.kind === 'close') {
      response.destroy()
      return
    }
    const answer = new FakeAnswer(bodyWriter(response, fault), this.#wantsProtobuf(request))
    if (fault?.kind === 'answer') answer.send(fault.status, fault.contentType, Buffer.from(fault.body))
    else if (fault?.kind === 'status') answer.fault(fault)
    else if (!this.#isKnown(incoming)) answer.failure(401, 'Unauthorized', 'Unauthorized')
    else if (request.method === 'GET') this.#serve(request, '', answer, response, fault)
    else void body.then((given) => this.#serve(request, given, answer, response, fault))
  }

  #wantsProtobuf(request: FakeRequest): boolean {
    return (
      this.#options.protobuf !== false && request.accept.startsWith('application/vnd.kubernetes.protobuf')
    )
  }

  #isKnown(incoming: IncomingMessage): boolean {
    const { tokens } = this.#options
    return !tokens || tokens.some((token) => incoming.headers.authorization === `Bearer ${token}`)
  }

  #serve(
    request: FakeRequest,
    body: string,
    answer: FakeAnswer,
    response: ServerResponse,
    fault: Fault | undefined,
  ): void {
    if (/^\/(livez|readyz|healthz)$/.test(request.path)) {
      answer.send(200, 'text/plain', Buffer.from('ok'))
      return
    }
    if (request.path === '/version') {
      answer.json(200, { major: '1', minor: '35', gitVersion: 'v1.35.4' })
      return
    }
    if (this.#companion?.serve(request, answer, response)) return
    const types = fakeDiscovery(request, this.#options.aggregatedDiscovery !== false)
    if (types) {
      answer.send(200, types.contentType, Buffer.from(JSON.stringify(types.body)))
      return
    }
    const target = targetOf(request.path)
    if (!target) {
      answer.failure(404, 'NotFound', 'the server could not find the requested resource')
      return
    }
    if (request.method !== 'GET') {
      if (!fakeWrite(this.#store, target, request, body, answer))
        answer.failure(405, 'MethodNotAllowed', 'the fake API server does not write so')
      return
    }
    try {
      if (target.name !== undefined) this.#get(target, target.name, answer)
      else if (request.query.get('watch')) this.#watch(target, request, answer, response, fault)
      else this.#list(target, request, answer)
    } catch (error) {
      if (!(error instanceof BadSelector)) throw error
      answer.failure(400, 'BadRequest', error.message)
    }
  }

  #get({ kind, namespace }: FakeTarget, name: string, answer: FakeAnswer): void {
    const object = this.#store.get(kind, namespace, name)
    if (object) answer.object(200, object)
    else
      answer.failure(404, 'NotFound', `${kind.plural} "${name}" not found`, {
        details: { name, kind: kind.plural },
      })
  }

  #list(target: FakeTarget, request: FakeRequest, answer: FakeAnswer): void {
    const list = fakeList(this.#store, target, request)
    if ('kind' in list) {
      answer.object(200, list)
      return
    }
    const goesOn = this.#options.continuesExpiredLists !== false
    answer.failure(
      410,
      'Expired',
      'The provided continue parameter is too old to display a consistent list result.',
      goesOn ? { continue: list.goesOnWith } : {},
    )
  }

  #watch(
    target: FakeTarget,
    request: FakeRequest,
    answer: FakeAnswer,
    response: ServerResponse,
    fault: Fault | undefined,
  ): void {
    const { query } = request
    const watch = new FakeWatch(
      this.#store,
      {
        kind: target.kind,
        namespace: target.namespace,
        selects: selectorOf(request),
        resourceVersion: Number(query.get('resourceVersion') ?? this.#store.version),
        bookmarks: query.get('allowWatchBookmarks') === 'true',
        protobuf: answer.protobuf && hasProtobuf(target.kind.kind),
        timeoutMs: Number(query.get('timeoutSeconds') ?? '300') * 1000,
      },
      answer.writer,
      fault,
    )
    this.#watches.add(watch)
    response.on('close', () => {
      watch.abandon()
      this.#watches.delete(watch)
    })
    watch.start()
  }
}
