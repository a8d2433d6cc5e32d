import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1APIService } from '@kubernetes/client-node'
import type { CompanionStatus } from '../../../src/core/wire/companion-status.ts'
import { ApiStatusError, type ApiClient } from '../kubernetes/api-client.ts'
import { CertificateAuthority } from '../kubernetes/certificates.ts'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { hostAddress, PaperPods } from './paper-pods.ts'

const LOOK_MS = 100
const API_SERVICE = '/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.deckwatch.dev'
const GROUP_VERSION = '/apis/deckwatch.dev/v1alpha1'

/** What a paper companion does, to be changed while it runs. */
export interface PaperBehaviour {
  /** The status of /readyz. */
  readyz: number
  /** Whose authority goes into the APIService. */
  bundle: 'own' | 'wrong'
  /** What pods tell of themselves; what is given here wins over the defaults. */
  status: Partial<CompanionStatus>
}

/**
 * A companion that can be made to do what a real one is built not to do: a listener of this process that answers for paper
 * pods, with an authority of its own.
 */
export class PaperCompanion {
  readonly behaviour: PaperBehaviour = { readyz: 200, bundle: 'own', status: {} }
  readonly pods: PaperPods
  /** Of the listener: the installation's `ports.api`. */
  readonly port: number
  readonly #admin: ApiClient
  readonly #authority: CertificateAuthority
  readonly #server: Server
  readonly #ending = new AbortController()
  readonly #running: Promise<void>

  private constructor(admin: ApiClient, pods: PaperPods, authority: CertificateAuthority, server: Server) {
    this.#admin = admin
    this.pods = pods
    this.#authority = authority
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('request', (request, response) => {
      const [status, body] = this.#answer(request.url?.split('?')[0] ?? '')
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    this.#running = this.#run()
    // Whoever ends it is told.
    this.#running.catch(() => undefined)
  }

  /** Listens, and begins to run what is installed into the namespace. */
  static async start(cluster: Pick<ControlPlane, 'admin'>, namespace = 'deckwatch'): Promise<PaperCompanion> {
    const authority = new CertificateAuthority('paper-companion')
    const { certificate: cert, key } = authority.issue({
      commonName: 'deckwatch',
      hosts: [`deckwatch.${namespace}.svc`],
    })
    const server = createServer({ cert, key })
    await once(server.listen(0, hostAddress()), 'listening')
    return new PaperCompanion(cluster.admin, await PaperPods.start(cluster, namespace), authority, server)
  }

  /** Ends it; throws what it failed with. */
  async stop(): Promise<void> {
    this.#ending.abort()
    this.#server.closeAllConnections()
    this.#server.close()
    await this.pods.stop()
    await this.#running
  }

  #answer(path: string): readonly [status: number, body: string] {
    switch (path) {
      case '/readyz':
        return this.behaviour.readyz === 200
          ? [200, 'ok']
          : [this.behaviour.readyz, '[-]images still listing']
      case '/statusz':
        return [200, JSON.stringify({ ...paperStatus(), ...this.behaviour.status })]
      case GROUP_VERSION:
        return [200, JSON.stringify(RESOURCES)]
      case `${GROUP_VERSION}/images`:
        return [
          200,
          JSON.stringify({
            apiVersion: 'deckwatch.dev/v1alpha1',
            kind: 'ImageList',
            metadata: {},
            items: [],
          }),
        ]
      default:
        return [404, '{}']
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      try {
        await this.#writeBundle()
      } catch (error) {
        // There is none yet, somebody was faster, or the API server is being restarted.
        if (error instanceof ApiStatusError && error.status < 500 && ![404, 409].includes(error.status))
          throw error
      }
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #writeBundle(): Promise<void> {
    const { bundle } = this.behaviour
    const authority = bundle === 'own' ? this.#authority : new CertificateAuthority('another')
    const apiService = await this.#admin.send<V1APIService>('GET', API_SERVICE)
    if (apiService.spec?.service?.namespace !== this.pods.namespace) return
    const caBundle = Buffer.from(authority.certificate).toString('base64')
    const has = apiService.spec.caBundle
    if (bundle === 'own' ? has === caBundle : has !== undefined) return
    await this.#admin.text('PATCH', API_SERVICE, { spec: { caBundle } })
  }
}

const RESOURCES = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'deckwatch.dev/v1alpha1',
  resources: [
    {
      name: 'images',
      singularName: 'image',
      namespaced: true,
      kind: 'Image',
      verbs: ['get', 'list', 'watch'],
    },
  ],
}

function paperStatus(): CompanionStatus {
  const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()
  const certificate = { name: 'serving', notBefore: day(-2), notAfter: day(88), renewAt: day(58) }
  return {
    version: '0.1.0',
    pod: 'paper',
    startedAt: day(0),
    components: [
      { name: 'api', ready: true, alive: true, reason: 'serves 1 resource' },
      {
        name: 'image-graph',
        ready: true,
        alive: true,
        reason: '4 images of 10 pods',
        store: { usedBytes: 1_200_000, limitBytes: 268_435_456, oldest: day(-9), bytesPerDay: 100_000 },
      },
    ],
    volume: { sizeBytes: 5_368_709_120, freeBytes: 4_000_000_000 },
    certificates: [certificate],
  }
}
