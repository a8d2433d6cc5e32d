import { composeApi, composePeers, type Fronts } from './compose-fronts.ts'
import { composeRooms } from './compose-rooms.ts'
import { layFoundation, type Foundation } from './foundation.ts'
import type { Config } from './kit/config/config.ts'
import { createHealth, type Probe } from './kit/health.ts'
import { endingProbe, type Outcome, runToEnd, type Task } from './kit/lifecycle.ts'
import type { Log } from './kit/log.ts'
import { createMetricsAuthorizer } from './kit/metrics-access.ts'
import { createMetricsListener } from './kit/metrics-listener.ts'
import { createStatus } from './kit/status.ts'
import { VERSION } from './kit/version.ts'

/** Runs the components of the configuration until `end` aborts or one of them fails, which the log then names. */
export async function serve(config: Config, log: Log, end: AbortSignal): Promise<Outcome> {
  const foundation = await layFoundation(config, log)
  const { transport, clock, podName, namespace } = foundation
  const { components, shutdownGraceMs: graceMs } = config
  log.info({ version: VERSION, components, namespace, pod: podName }, 'starting')
  const startedAt = clock.now()
  const { rooms, feeds } = composeRooms(foundation)
  const probes: Probe[] = [...rooms, endingProbe(end)]
  const withApi = components.includes('api')
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
  const deps = { foundation, rooms, health: createHealth(probes), status }
  const fronts: Fronts = withApi ? composeApi(deps) : composePeers(deps)
  probes.unshift(...fronts.probes)
  const outcome = await runToEnd(
    {
      stages: [
        fronts.listeners,
        rooms.map((room) => ({ name: room.name, run: (signal) => room.run(signal) })),
        [...feeds, ...fronts.supports, ...metricsTasks(foundation, fronts)],
      ],
      ...(fronts.beforeEnd ? { beforeEnd: fronts.beforeEnd } : {}),
      graceMs,
      clock,
      log,
    },
    end,
  )
  transport.close()
  return outcome
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
