import { Counter, Gauge, type MetricsRegistry } from '../metrics.ts'

/** What one reflector counts. */
export interface ReflectorMetrics {
  /** How many objects are known. */
  objects(count: number): void
  /** An event of this type has come, at epoch milliseconds. */
  event(type: 'added' | 'modified' | 'deleted', at: number): void
  /** The watch was lost. */
  interrupted(): void
}

/** The metrics of a reflector of one resource; all reflectors of a process share them, told apart by a label. */
export function reflectorMetrics(registry: MetricsRegistry, resource: string): ReflectorMetrics {
  const objects = metric(
    registry,
    'deckwatch_reflector_objects',
    (name) =>
      new Gauge({
        name,
        help: 'Objects of a resource that are known from its list and watch.',
        labelNames: ['resource'],
        registers: [registry],
      }),
  )
  const events = metric(
    registry,
    'deckwatch_reflector_events_total',
    (name) =>
      new Counter({
        name,
        help: 'Events of the list and watch of a resource, without those that changed nothing that is kept.',
        labelNames: ['resource', 'type'],
        registers: [registry],
      }),
  )
  const lastEvent = metric(
    registry,
    'deckwatch_reflector_last_event_timestamp_seconds',
    (name) =>
      new Gauge({
        name,
        help: 'When the watch of a resource told its last event, in seconds since the epoch.',
        labelNames: ['resource'],
        registers: [registry],
      }),
  )
  const interruptions = metric(
    registry,
    'deckwatch_reflector_interruptions_total',
    (name) =>
      new Counter({
        name,
        help: 'How often the watch of a resource was lost for a time.',
        labelNames: ['resource'],
        registers: [registry],
      }),
  )
  interruptions.inc({ resource }, 0)
  return {
    objects: (count) => objects.set({ resource }, count),
    event(type, at) {
      events.inc({ resource, type })
      lastEvent.set({ resource }, at / 1000)
    },
    interrupted: () => interruptions.inc({ resource }),
  }
}

/** The metric of that name in the registry, made where there is none yet. */
function metric<M>(registry: MetricsRegistry, name: string, make: (name: string) => M): M {
  return (registry.getSingleMetric(name) as M | undefined) ?? make(name)
}
