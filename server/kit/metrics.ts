import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Where the companion's metrics are registered; every name begins with `deckwatch_`. */
export type MetricsRegistry = Registry

export { Counter, Gauge, Histogram }

/** An empty registry: one a process, handed to each room. */
export function createMetricsRegistry(): MetricsRegistry {
  return new Registry()
}
