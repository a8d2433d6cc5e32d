import { composeFronts, type Fronts } from './compose-fronts.ts'
import { composeRooms } from './compose-rooms.ts'
import { composeTrust } from './compose-trust.ts'
import { layFoundation, type Foundation } from './foundation.ts'
import { createAuthorizer } from './kit/api/authorize.ts'
import type { Config } from './kit/config/config.ts'
import { createHealth, type Probe } from './kit/health.ts'
import { endingProbe, type Outcome, runToEnd, type Task } from './kit/lifecycle.ts'
import type { Log } from './kit/log.ts'
import { createMetricsAuthorizer } from './kit/metrics-access.ts'
import { createMetricsListener } from './kit/metrics-listener.ts'
import type { Room } from './kit/room.ts'
import { createStatus } from './kit/status.ts'
import { VERSION } from './kit/version.ts'

/** Runs the components of the configuration until `end` aborts or one of them fails, which the log then names. */
export async function serve(config: Config, log: Log, end: AbortSignal): Promise<Outcome> {
  const foundation = await layFoundation(config, log)
  const { transport, clock, podName, namespace, metrics } = foundation
  const { components, shutdownGraceMs: graceMs } = config
  log.info({ version: VERSION, components, namespace, pod: podName }, 'starting')
  const startedAt = clock.now()
  const trust = composeTrust(foundation)
  const authorizer = createAuthorizer({ transport, clock, metrics })
  const { rooms, feeds } = composeRooms(foundation, { trust, reviewer: authorizer })
  const probes: Probe[] = [...rooms, endingProbe(end)]
  const status = createStatus(
    () => ({
      version: VERSION,
      pod: podName,
      startedAt,
      components: [...fronts.probes.filter(({ name }) => name === 'api'), ...rooms],
      folder: rooms.length > 0 ? config.data : undefined,
      certificates: () => fronts.certificates(),
    }),
    clock,
  )
  const fronts: Fronts = composeFronts(
    { foundation, rooms, authorizer, health: createHealth(probes), status },
    trust,
  )
  probes.unshift(...fronts.probes)
  const outcome = await runToEnd(
    {
      stages: [
        fronts.listeners,
        rooms.map((room) => ({ name: room.name, run: (signal) => room.run(signal) })),
        [...feeds, ...fronts.supports, ...metricsTasks(foundation, fronts)],
      ],
      beforeEnd: (signal) => lastLook(rooms, fronts, signal),
      graceMs,
      clock,
      log,
    },
    end,
  )
  transport.close()
  return outcome
}

/** Every part has its last look, whatever becomes of the others; the first failure is told. */
async function lastLook(rooms: readonly Room[], fronts: Fronts, signal: AbortSignal): Promise<void> {
  const parts = [...rooms, fronts]
  const looks = parts.map(async (part) => part.beforeEnd?.(signal))
  const failed = (await Promise.allSettled(looks)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

function metricsTasks(foundation: Foundation, { tls }: Fronts): readonly Task[] {
  const { config, transport, clock, log, metrics } = foundation
  if (config.metricsAddress === '') return []
  const listener = createMetricsListener({
    address: config.metricsAddress,
    registry: metrics,
    log,
    clock,
    ...(config.metricsAuth ? { auth: { tls, authorize: createMetricsAuthorizer(transport, clock) } } : {}),
  })
  return [{ name: 'metrics', run: (signal) => listener.run(signal) }]
}
