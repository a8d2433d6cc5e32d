import type { CertificateStatus } from '../src/core/wire/companion-status.ts'
import { API_ACCOUNT } from './accounts.ts'
import { resourcesOf } from './compose-rooms.ts'
import type { Trust } from './compose-trust.ts'
import type { Foundation } from './foundation.ts'
import { createApi } from './kit/api/api.ts'
import type { Api, ApiOptions } from './kit/api/api-options.ts'
import type { Authorizer } from './kit/api/authorize.ts'
import type { ServedResource } from './kit/api/resource.ts'
import type { Probe } from './kit/health.ts'
import type { Task } from './kit/lifecycle.ts'
import { createIssuedIdentity } from './kit/peer/issued-identity.ts'
import { createLeafRoute } from './kit/peer/leaf-route.ts'
import { createPeerClient } from './kit/peer/peer-client.ts'
import type { PeerIdentity } from './kit/peer/peer-identity.ts'
import { createPeerReader } from './kit/peer/peer-reader.ts'
import { createPeerServer } from './kit/peer/serve-peers.ts'
import type { ProbeAnswer, Room } from './kit/room.ts'
import { checkNamespace, guardNamespace } from './kit/tls/namespace-guard.ts'
import type { TlsSource } from './kit/tls/tls-source.ts'

/** How the process is reached. */
export interface Fronts {
  readonly listeners: readonly Task[]
  /** What the listeners stand on; it ends after them. */
  readonly supports: readonly Task[]
  readonly probes: readonly Probe[]
  /** Of the listener at the api's address. */
  readonly tls: TlsSource
  certificates(): readonly CertificateStatus[]
  /** The last look before the process ends. */
  readonly beforeEnd?: (signal: AbortSignal) => Promise<void>
}

/** What fronts need of the rest of the process. */
export interface FrontDeps {
  readonly foundation: Foundation
  readonly rooms: readonly Room[]
  readonly authorizer: Authorizer
  readonly health: ApiOptions['health']
  readonly status: ApiOptions['status']
}

/** The Service of the pods whose readers are asked. */
const DATA_SERVICE = 'deckwatch-data'
/** The Service of the same pods for the API server's reviews. */
const AUDIT_SERVICE = 'deckwatch-audit'

/** So long at most requests are still taken after the pod said that it is not ready, until no more are sent here. */
const MAX_DRAIN_MS = 2500

/** How the process is reached, by what its listeners are believed with. */
export function composeFronts(deps: FrontDeps, trust: Trust): Fronts {
  return trust.kind === 'api' ? composeApi(deps, trust) : composePeers(deps, trust)
}

/** The aggregated API, in front of the rooms of this process and of those in other pods. */
function composeApi(
  { foundation, rooms, authorizer, health, status }: FrontDeps,
  { authorities }: Extract<Trust, { kind: 'api' }>,
): Fronts {
  const { config, transport, namespace, initial, clock, log, metrics } = foundation
  const shared = { transport, namespace, initial, clock, log }
  const asking =
    config.peers.length === 0
      ? undefined
      : createIssuedIdentity({ ...shared, authority: authorities.peerAuthority, account: API_ACCOUNT })
  const accountsOf = (service: string): Readonly<Record<string, readonly string[]>> =>
    Object.fromEntries(config.peerAccounts.map((account) => [account, [`${service}.${namespace}.svc`]]))
  const leaves = createLeafRoute({
    transport,
    namespace,
    profiles: {
      peer: { authority: authorities.peerAuthority, accounts: accountsOf(DATA_SERVICE) },
      // The pods with the rooms have the webhook, which the API server reaches by a Service of its own.
      serving: { authority: authorities.servingAuthority, accounts: accountsOf(AUDIT_SERVICE) },
    },
    clock,
    log,
  })
  const api = createApi({
    ...apiTimes(config.shutdownGraceMs),
    resources: [
      ...rooms.flatMap(({ resources }) => resources),
      ...(asking ? askedResources(foundation, asking) : []),
    ],
    transport,
    authorizer,
    clock,
    log,
    metrics,
    tls: authorities.serving,
    health,
    status,
    routes: [leaves, ...rooms.flatMap(({ routes }) => routes ?? [])],
    address: config.apiAddress,
    limits: {
      watches: config.watches,
      watchesPerUser: config.watchesPerUser,
      requestsPerSecond: config.requestsPerSecond,
      burst: 2 * config.requestsPerSecond,
    },
  })
  const guard = { transport, namespace, apiService: config.apiService, clock, log }
  const guarded = config.apiService !== ''
  return {
    listeners: [apiTask(api)],
    supports: [
      { name: 'authorities', run: (signal) => authorities.run(signal) },
      { name: 'authorizer', run: (signal) => authorizer.run(signal) },
      ...(asking ? [{ name: 'peer certificate', run: (signal: AbortSignal) => asking.run(signal) }] : []),
      ...(guarded
        ? [{ name: 'guard of the namespace', run: (signal: AbortSignal) => guardNamespace(guard, signal) }]
        : []),
    ],
    probes: [
      { name: 'api', ready: () => api.ready(), alive: () => api.alive() },
      readyOnly('certificates', () => authorities.ready()),
      ...(asking ? [readyOnly('peer-certificate', () => asking.ready())] : []),
    ],
    tls: authorities.serving,
    certificates: () => [...authorities.certificates(), ...(asking?.certificates() ?? [])],
    ...(guarded ? { beforeEnd: (signal: AbortSignal) => checkNamespace(guard, signal) } : {}),
  }
}

/** The resources of components that run in other pods. */
function askedResources(
  { config, namespace, clock }: Foundation,
  identity: PeerIdentity,
): readonly ServedResource[] {
  return config.peers.flatMap(({ component, host, port }) => {
    const client = createPeerClient({
      host,
      port,
      identity,
      namespace,
      accounts: config.peerAccounts,
      clock,
    })
    return resourcesOf(component, (plural) => createPeerReader(client, plural))
  })
}

/**
 * Rooms without the api: their readers are served to the pods that have it; probes, and what paths the rooms have
 * besides, at the api's address.
 */
function composePeers(
  { foundation, rooms, authorizer, health, status }: FrontDeps,
  { peer: identity, serving }: Extract<Trust, { kind: 'rooms' }>,
): Fronts {
  const { config, transport, namespace, clock, log, metrics } = foundation
  const peers = createPeerServer({
    address: config.peerAddress,
    resources: rooms.flatMap(({ resources }) => resources),
    identity,
    namespace,
    accounts: [API_ACCOUNT],
    authorizer,
    clock,
    log,
  })
  const probesListener =
    config.apiAddress === ''
      ? undefined
      : createApi({
          ...apiTimes(config.shutdownGraceMs),
          resources: [],
          transport,
          authorizer,
          clock,
          log,
          metrics,
          tls: (serving ?? identity).tls,
          routes: rooms.flatMap(({ routes }) => routes ?? []),
          health,
          status,
          address: config.apiAddress,
        })
  return {
    listeners: [
      { name: 'peers', run: (signal) => peers.run(signal) },
      ...(probesListener ? [apiTask(probesListener)] : []),
    ],
    supports: [
      { name: 'peer certificate', run: (signal) => identity.run(signal) },
      ...(serving
        ? [{ name: 'serving certificate', run: (signal: AbortSignal) => serving.run(signal) }]
        : []),
      { name: 'authorizer', run: (signal) => authorizer.run(signal) },
    ],
    probes: [readyOnly('peers', () => peers.ready())],
    tls: identity.tls,
    certificates: () => [...identity.certificates(), ...(serving?.certificates() ?? [])],
  }
}

function apiTask(api: Api): Task {
  return { name: 'api', run: (signal) => api.run(signal) }
}

function apiTimes(shutdownGraceMs: number): Pick<ApiOptions, 'drainMs' | 'graceMs'> {
  return { drainMs: Math.min(MAX_DRAIN_MS, shutdownGraceMs / 8), graceMs: shutdownGraceMs / 2 }
}

function readyOnly(name: string, ready: () => ProbeAnswer): Probe {
  return { name, ready, alive: () => ({ ok: true, reason: ready().reason }) }
}
