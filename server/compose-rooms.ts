import { nodeSource } from '../src/core/kube/node-list.ts'
import { podSource } from '../src/core/kube/pod-list.ts'
import { API_ACCOUNT } from './accounts.ts'
import { auditLogConfig } from './audit-log-config.ts'
import { auditLogResources, createAuditLog } from './audit-log/index.ts'
import type { Trust } from './compose-trust.ts'
import type { Foundation } from './foundation.ts'
import { createImageGraph, imageGraphResources } from './image-graph/index.ts'
import type { ResourceReader, ServedResource } from './kit/api/resource.ts'
import { createReflector } from './kit/cluster-watch/create-reflector.ts'
import type { ComponentName } from './kit/config/config.ts'
import { createLeadership } from './kit/lease/create-leadership.ts'
import type { Log } from './kit/log.ts'
import type { Task } from './kit/lifecycle.ts'
import type { AccessReviewer } from './kit/api/access-reviews.ts'
import type { Room } from './kit/room.ts'
import { openStore } from './kit/store/open-store.ts'
import { startRecorder } from './recorder-thread.ts'

/** The rooms of this process and what feeds them. */
export interface ComposedRooms {
  readonly rooms: readonly Room[]
  /** Shared by all rooms; they end after them. */
  readonly feeds: readonly Task[]
}

/** What rooms need of the parts that stand in front of them. */
export interface RoomDeps {
  readonly trust: Trust
  readonly reviewer: AccessReviewer
}

/** Makes each room that is to run here; nothing begins to work yet. */
export function composeRooms(foundation: Foundation, { trust, reviewer }: RoomDeps): ComposedRooms {
  const { config, transport, namespace, holder, clock, log, metrics } = foundation
  const leadershipOf = (component: string, own: Log) =>
    createLeadership({
      transport,
      namespace,
      name: `deckwatch-${component}`,
      identity: holder,
      clock,
      log: own,
    })
  const rooms: Room[] = []
  const feeds: Task[] = []
  for (const component of config.components) {
    switch (component) {
      case 'api':
        break
      case 'image-graph': {
        const shared = { transport, clock, log, metrics }
        const pods = createReflector({ ...shared, source: podSource() })
        const nodes = createReflector({ ...shared, source: nodeSource() })
        feeds.push({ name: 'watch of pods', run: (signal) => pods.run(signal) })
        feeds.push({ name: 'watch of nodes', run: (signal) => nodes.run(signal) })
        const own = log.child({ component })
        rooms.push(
          createImageGraph({
            ...shared,
            pods,
            nodes,
            log: own,
            openStore: (options) => openStore({ ...options, folder: config.data }, { clock, log: own }),
            leadership: leadershipOf(component, own),
            config: config,
          }),
        )
        break
      }
      case 'audit-log': {
        const own = log.child({ component })
        const { name, port } = config.auditService
        rooms.push(
          createAuditLog({
            transport,
            namespace,
            clock,
            metrics,
            reviewer,
            log: own,
            folder: config.data,
            leadership: leadershipOf(component, own),
            authority: trust.webhookAuthority,
            service: { name: name || config.service, port },
            ownUsers: [...config.peerAccounts, API_ACCOUNT].map(
              (account) => `system:serviceaccount:${namespace}:${account}`,
            ),
            startRecorder: (start, signal) => startRecorder(foundation, start, signal),
            config: auditLogConfig(config),
          }),
        )
        break
      }
      default:
        ;(component) satisfies never
    }
  }
  return { rooms, feeds }
}

/** What a component serves, read by other readers than its own: those of the pod in which it runs. */
export function resourcesOf(
  component: Exclude<ComponentName, 'api'>,
  readerOf: (plural: string) => ResourceReader,
): readonly ServedResource[] {
  switch (component) {
    case 'image-graph':
      return imageGraphResources(readerOf)
    case 'audit-log':
      return auditLogResources(readerOf)
    default:
      return component satisfies never
  }
}
