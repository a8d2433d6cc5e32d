import type { KubeRequest, KubeResponse, KubeTransport } from '../../../src/core/kube/transport.ts'

/** A SubjectAccessReview's question, as far as tests decide by it. */
export interface AskedAccess {
  readonly user: string
  readonly groups: readonly string[]
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly namespace: string | undefined
  readonly name: string | undefined
}

/**
 * What the aggregated API asks of a cluster, answered by the test: access reviews, namespaces, and the front proxy's
 * ConfigMap with its watch.
 */
export class SmallCluster implements KubeTransport {
  /** Who may do what; all may all at first. */
  allows: (access: AskedAccess) => boolean = () => true
  /** Names and uids. */
  readonly namespaces = new Map<string, string>()
  /** The questions that came, in order. */
  readonly reviews: AskedAccess[] = []
  /** Set to answer access reviews and namespaces with this status. */
  outage: number | undefined
  /** Set to take access reviews and namespaces and never answer them. */
  silent = false
  #frontProxy: Readonly<Record<string, string>> | undefined
  #version = 1
  readonly #watches = new Set<(frame: string) => void>()

  constructor(frontProxy: Readonly<Record<string, string>> | undefined) {
    this.#frontProxy = frontProxy
  }

  /** Changes the data of kube-system/extension-apiserver-authentication. */
  setFrontProxy(data: Readonly<Record<string, string>>): void {
    const type = this.#frontProxy ? 'MODIFIED' : 'ADDED'
    this.#frontProxy = data
    this.#version += 1
    const frame = `${JSON.stringify({ type, object: this.#configMap() })}\n`
    for (const tell of this.#watches) tell(frame)
  }

  async send(request: KubeRequest): Promise<KubeResponse> {
    const { pathname, searchParams } = new URL(request.path, 'https://cluster')
    if (pathname === '/api/v1/namespaces/kube-system/configmaps') {
      return searchParams.get('watch') ? this.#watch(request.signal) : this.#list()
    }
    if (this.silent) return untilAborted(request.signal)
    if (this.outage !== undefined) {
      return json(this.outage, { kind: 'Status', message: 'down', code: this.outage })
    }
    if (pathname === '/apis/authorization.k8s.io/v1/subjectaccessreviews') return this.#review(request)
    const namespace = /^\/api\/v1\/namespaces\/([^/]+)$/.exec(pathname)?.[1] ?? ''
    const uid = this.namespaces.get(namespace)
    return uid === undefined
      ? json(404, { kind: 'Status', reason: 'NotFound', message: 'not found', code: 404 })
      : json(200, { kind: 'Namespace', metadata: { name: namespace, uid } })
  }

  close(): void {
    // It keeps no connections.
  }

  #configMap(): object {
    const metadata = {
      name: 'extension-apiserver-authentication',
      uid: 'u',
      resourceVersion: String(this.#version),
    }
    return { kind: 'ConfigMap', apiVersion: 'v1', metadata, data: this.#frontProxy }
  }

  #list(): KubeResponse {
    const items = this.#frontProxy ? [this.#configMap()] : []
    return json(200, { kind: 'ConfigMapList', metadata: { resourceVersion: String(this.#version) }, items })
  }

  #watch(signal: AbortSignal | undefined): KubeResponse {
    const frames = new TransformStream<Uint8Array, Uint8Array>()
    const writer = frames.writable.getWriter()
    const tell = (frame: string): void => void writer.write(Buffer.from(frame))
    this.#watches.add(tell)
    signal?.addEventListener('abort', () => {
      this.#watches.delete(tell)
      void writer.close()
    })
    const body = frames.readable
    return { status: 200, headers: { 'content-type': 'application/json' }, body }
  }

  #review(request: KubeRequest): KubeResponse {
    const { spec } = JSON.parse(String(request.body)) as {
      readonly spec: {
        readonly user: string
        readonly groups: readonly string[]
        readonly resourceAttributes: {
          readonly verb: string
          readonly group: string
          readonly resource: string
          readonly namespace?: string
          readonly name?: string
        }
      }
    }
    const { verb, group, resource, namespace, name } = spec.resourceAttributes
    const asked = { user: spec.user, groups: spec.groups, verb, group, resource, namespace, name }
    this.reviews.push(asked)
    return json(201, { status: { allowed: this.allows(asked) } })
  }
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

function json(status: number, value: unknown): KubeResponse {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(JSON.stringify(value))
  }
  return { status, headers: { 'content-type': 'application/json' }, body: body() }
}
