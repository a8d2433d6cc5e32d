import { systemClock } from '../../../src/core/lib/time.ts'
import type { AccessRequest } from '../../../server/kit/api/access-request.ts'
import type { ApiError } from '../../../server/kit/api/api-error.ts'
import type { ResourceScope } from '../../../server/kit/api/resource.ts'
import {
  createPeerClient,
  type PeerClient,
  type PeerClientTimes,
} from '../../../server/kit/peer/peer-client.ts'
import type { PeerIdentity } from '../../../server/kit/peer/peer-identity.ts'
import { peerUri } from '../../../server/kit/peer/peer-name.ts'
import type { PeerAnswerTimes } from '../../../server/kit/peer/peer-stream.ts'
import { createPeerServer } from '../../../server/kit/peer/serve-peers.ts'
import { createAuthorityPair, createLeaf } from '../../../server/kit/tls/certificate.ts'
import { RenewableTls } from '../../../server/kit/tls/renewable-tls.ts'
import type { KeyPair } from '../../../server/kit/tls/tls-source.ts'
import { MemoryResource } from '../../kit/aggregated/memory-resource.ts'
import { type RecordedLog, recordedLog } from '../../kit/recorded-log.ts'

const HOUR = 3_600_000

/** Leaves of one peer authority. */
export class PeerAuthority {
  readonly pair: KeyPair

  constructor(pair: KeyPair) {
    this.pair = pair
  }

  static async create(): Promise<PeerAuthority> {
    return new PeerAuthority(
      await createAuthorityPair({ commonName: 'peers', now: Date.now(), lifeMs: HOUR }),
    )
  }

  /** A leaf of the account of namespace `deckwatch`, or with other names. */
  leaf(
    account: string,
    { uri = peerUri('deckwatch', account), lifeMs = HOUR }: { uri?: string; lifeMs?: number } = {},
  ): Promise<KeyPair> {
    const order = { commonName: account, dnsNames: [], uris: [uri], now: Date.now(), lifeMs }
    return createLeaf(this.pair, { ...order, uses: ['server', 'client'] })
  }
}

/** An identity that a test renews by hand. */
export class FixedIdentity implements Pick<PeerIdentity, 'tls' | 'authorities' | 'ready'> {
  readonly tls: RenewableTls
  trusted: string

  constructor(pair: KeyPair, trusted: string) {
    this.tls = new RenewableTls(pair)
    this.trusted = trusted
  }

  authorities(): string {
    return this.trusted
  }

  ready() {
    return { ok: true, reason: 'fixed' }
  }
}

/** What the data pod's authorizer says in a test. */
export class ScriptedAuthorizer {
  readonly asked: AccessRequest[] = []
  scope: (request: AccessRequest) => ResourceScope = ({ namespace }) => ({
    namespace,
    namespaceUid: undefined,
  })
  readonly guards = new Set<(reason: ApiError) => void>()

  async authorize(request: AccessRequest): Promise<ResourceScope> {
    this.asked.push(request)
    return this.scope(request)
  }

  guard(_request: AccessRequest, _scope: ResourceScope, end: (reason: ApiError) => void): () => void {
    this.guards.add(end)
    return () => this.guards.delete(end)
  }
}

/** A pod with data and one that asks it, over real mTLS. */
export interface PeerWorld {
  readonly authority: PeerAuthority
  readonly widgets: MemoryResource
  readonly authorizer: ScriptedAuthorizer
  readonly server: FixedIdentity
  readonly client: PeerClient
  readonly asker: FixedIdentity
  readonly log: RecordedLog
  readonly port: number
  /** Another client, with any certificate, and through another port where something stands between. */
  connect(identity: FixedIdentity, times?: Partial<PeerClientTimes>, throughPort?: number): PeerClient
  /** Ends the data pod as a stop does. */
  stopServer(): Promise<void>
  stop(): Promise<void>
}

/** Starts both. */
export async function startPeerWorld(
  options: { readonly times?: Partial<PeerAnswerTimes>; readonly port?: number } = {},
): Promise<PeerWorld> {
  const authority = await PeerAuthority.create()
  const trusted = authority.pair.certificate
  const widgets = new MemoryResource()
  const authorizer = new ScriptedAuthorizer()
  const server = new FixedIdentity(await authority.leaf('deckwatch'), trusted)
  const asker = new FixedIdentity(await authority.leaf('deckwatch-api'), trusted)
  const log = recordedLog()
  const stopping = new AbortController()
  const peers = createPeerServer({
    address: `127.0.0.1:${options.port ?? 0}`,
    resources: [widgets.resource],
    identity: server,
    namespace: 'deckwatch',
    accounts: ['deckwatch-api'],
    authorizer,
    clock: systemClock,
    log,
    ...(options.times ? { times: options.times } : {}),
  })
  const running = peers.run(stopping.signal)
  const { port } = await peers.listening
  const clients: PeerClient[] = []
  const connect = (
    identity: FixedIdentity,
    times: Partial<PeerClientTimes> = {},
    throughPort = port,
  ): PeerClient => {
    const client = createPeerClient({
      host: '127.0.0.1',
      port: throughPort,
      identity,
      namespace: 'deckwatch',
      accounts: ['deckwatch'],
      clock: systemClock,
      times,
    })
    clients.push(client)
    return client
  }
  const stopServer = async (): Promise<void> => {
    stopping.abort()
    await running
  }
  return {
    authority,
    widgets,
    authorizer,
    server,
    asker,
    client: connect(asker),
    log,
    port,
    connect,
    stopServer,
    async stop() {
      for (const client of clients) client.close()
      await stopServer()
    },
  }
}
